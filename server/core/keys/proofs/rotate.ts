import { parseDuration } from '@troth/policy-language';
import { type Look, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { KEYS_MAX, readKeyring, rootFiles } from './keyring-file.ts';

type State = {
  readonly epoch: number;
  readonly epochAt: number;
  readonly rotatingFrom: number | null;
  readonly keys: number;
  readonly retired: number;
};

/** What the file of the keyring says of its keys: how old the epoch is, and what is older yet. */
const stateOf = ({ folders }: Look): Promise<State> =>
  readKeyring(folders.keyring, ({ get }) => {
    const meta = (name: string) =>
      get<{ value: number }>('select value from meta where name = ?', name)?.value;
    const epoch = Number(meta('epoch') ?? 0);
    const counts = ['subject_keys', 'named_keys', 'keks'].map((table) =>
      get<{ keys: number; retired: number | null }>(
        `select count(*) as keys, sum(epoch < ?) as retired
         from (select epoch from ${table} limit ${KEYS_MAX})`,
        epoch,
      ),
    );
    return {
      epoch,
      epochAt: Number(meta('epoch_at') ?? 0),
      rotatingFrom: meta('rotating_from') ?? null,
      keys: counts.reduce((sum, one) => sum + Number(one?.keys ?? 0), 0),
      retired: counts.reduce((sum, one) => sum + Number(one?.retired ?? 0), 0),
    };
  });

/** Keys that were made just now: the file that is read is the one that the keeper writes. */
async function isLive(look: Look): Promise<boolean> {
  const { canaries, keys, tenant, folders } = look;
  const { userId } = await canaries.agreeing();
  // Where there is nothing to agree to, nothing has made a key for them yet.
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: true });
  if (typeof found !== 'object') return false;
  const row = await readKeyring(folders.keyring, ({ get }) =>
    get(
      'select 1 from subject_keys where tenant = ? and subject = ?',
      tenant,
      Buffer.from(found.subject, 'hex'),
    ),
  );
  return row !== undefined;
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
    if (!(await isLive(at))) return gap(saw`a canary's key was not found in the keyring's file`);
    const { epoch, epochAt, rotatingFrom, keys, retired } = await stateOf(at);
    const age = (await at.now()).getTime() - epochAt;
    const { milliseconds } = parseDuration(published);
    if (age > milliseconds) {
      return broken(saw`the keys are ${span(age)} old, of ${span(milliseconds)} at most`);
    }
    if (rotatingFrom === null && retired > 0) {
      return broken(saw`${retired} of ${keys} keys are wrapped under a retired key`);
    }
    const roots = rootFiles(at.folders.keyring).map((file) => file.epoch);
    const old = roots.filter((number) => number !== epoch && number !== rotatingFrom).length;
    if (old > 0) return broken(saw`${old} retired root keys still lie in the keyring's folder`);
    const named = at.policy.security?.keys?.management !== undefined;
    const by = term(named ? 'by the keeper, an embedded equivalent:' : 'by the keeper:');
    return kept(
      saw`${by} epoch ${epoch} is ${span(age)} old, of ${span(milliseconds)} at most; ${keys - retired} of ${keys} keys are wrapped under it, and no retired root key is left`,
    );
  },
});
