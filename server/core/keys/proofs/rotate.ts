import { parseDuration } from '@troth/policy-language';
import { type Look, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { epochsIn, KEYS_MAX, readKeyring } from './keyring-file.ts';

/** A root and the keys under it may be retired for so long; some 22,000 keys a second are. */
const RETIRED_WITHIN_MS = 86_400_000;

type State = {
  readonly epoch: number;
  readonly epochAt: number;
  readonly rotatingFrom: number | null;
  readonly keys: number;
  /** Under a root that is retired, or is being retired. */
  readonly older: number;
  /** Under one that had to be gone before this rotation began. */
  readonly retired: number;
};

type Counts = Pick<State, 'keys'> & { readonly older: number | null; retired: number | null };

/** What the file of the keyring says of its keys: how old the epoch is, and what is older yet. */
const stateOf = (folder: string): Promise<State> =>
  readKeyring(folder, ({ get }) => {
    const meta = (name: string) =>
      get<{ value: number }>('select value from meta where name = ?', name)?.value;
    const epoch = Number(meta('epoch') ?? 0);
    const rotatingFrom = meta('rotating_from') ?? null;
    const counts = ['subject_keys', 'named_keys', 'keks'].map((table) =>
      get<Counts>(
        `select count(*) as keys, sum(epoch < ?) as older, sum(epoch < ?) as retired
         from (select epoch from ${table} limit ${KEYS_MAX})`,
        epoch,
        rotatingFrom ?? epoch,
      ),
    );
    const sum = (name: keyof Counts) =>
      counts.reduce((all, one) => all + Number(one?.[name] ?? 0), 0);
    return {
      epoch,
      epochAt: Number(meta('epoch_at') ?? 0),
      rotatingFrom,
      keys: sum('keys'),
      older: sum('older'),
      retired: sum('retired'),
    };
  });

/** The folders of the keyring; `undefined` where the keeper has more than can be looked into. */
async function foldersOf({ folders, keeper, now }: Look): Promise<string[] | undefined> {
  const { copies } = await keeper.call('status', { at: (await now()).getTime() });
  const all = [folders.keyring, folders.keyringCopy ?? []].flat();
  return all.length === copies ? all : undefined;
}

/** Keys that were made just now: the files that are read are those that the keeper writes. */
async function isLive(look: Look, folders: readonly string[]): Promise<boolean> {
  const { canaries, keys, tenant } = look;
  const { userId } = await canaries.agreeing();
  // Where there is nothing to agree to, nothing has made a key for them yet.
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: true });
  if (typeof found !== 'object') return false;
  const subject = Buffer.from(found.subject, 'hex');
  const ask = 'select 1 from subject_keys where tenant = ? and subject = ?';
  const rows = await Promise.all(
    folders.map((folder) => readKeyring(folder, ({ get }) => get(ask, tenant, subject))),
  );
  return rows.every((row) => row !== undefined);
}

/** How many keys under a retired root, and how many such roots, each folder has. */
async function retiredIn(folders: readonly string[], { epoch, rotatingFrom }: State) {
  const states = await Promise.all(folders.map(stateOf));
  const old = folders
    .flatMap(epochsIn)
    .filter((number) => number !== epoch && number !== rotatingFrom);
  return { keys: states.reduce((all, { retired }) => all + retired, 0), roots: old.length };
}

export const rotate = defineProof({
  control: 'keys.rotate',
  strength: 'stored-bytes',
  blindTo: 'Copies of the keyring elsewhere; an older copy opens nothing that was sealed since.',
  async prove(at, { setting }) {
    const path = String(setting);
    const published = valueAt(at.policy, path);
    const isPeriod = path === 'security.keys.rotate' && typeof published === 'string';
    if (!isPeriod) return gap(saw`${term(path)} publishes no period for keys`);
    const folders = await foldersOf(at);
    if (!folders) return gap(saw`not every copy of the keyring can be looked into`);
    if (!(await isLive(at, folders)))
      return gap(saw`a canary's key was not found in the keyring's file`);
    const state = await stateOf(at.folders.keyring);
    const { epoch, epochAt, rotatingFrom, keys, older } = state;
    const age = (await at.now()).getTime() - epochAt;
    const { milliseconds } = parseDuration(published);
    if (age > milliseconds) {
      return broken(saw`the keys are ${span(age)} old, of ${span(milliseconds)} at most`);
    }
    const retired = await retiredIn(folders, state);
    if (retired.keys > 0)
      return broken(saw`${retired.keys} of ${keys} keys are wrapped under a retired key`);
    // The epoch began with the rotation that retires the one before it.
    if (rotatingFrom !== null && age > RETIRED_WITHIN_MS) {
      return broken(
        saw`the root key before this one has been in retirement for ${span(age)}, of ${span(RETIRED_WITHIN_MS)} at most, and ${older} of ${keys} keys are wrapped under it`,
      );
    }
    if (retired.roots > 0)
      return broken(saw`${retired.roots} retired root keys still lie in the keyring's folders`);
    const named = at.policy.security?.keys?.management !== undefined;
    const by = term(named ? 'by the keeper, an embedded equivalent:' : 'by the keeper:');
    const where = term(folders.length > 1 ? 'both folders' : 'its folder');
    const rest = term(
      rotatingFrom === null ? 'no retired root key is left' : 'the one before is being retired',
    );
    return kept(
      saw`${by} epoch ${epoch} is ${span(age)} old, of ${span(milliseconds)} at most; ${keys - older} of ${keys} keys are wrapped under it, and ${rest} in ${where}`,
    );
  },
});
