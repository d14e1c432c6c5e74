import { type Look, type StoredRow, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term, terms } from '#core/promises';
import { flips, openAsAes256Gcm } from './frames.ts';
import { comesAgain, derivations } from './made-again.ts';
import { rawKeyOf, type SealedCanary, sealingTypes, sendEach } from './sealed-canaries.ts';
import { searched } from './sealed-search.ts';

const ALGORITHM = 'AES-256-GCM';
const KEY_BYTES = 32;
const FRAMES_MAX = 1_000_000;
const REVISIONS_BACK = 2;

const frameOf = (row: StoredRow) => Buffer.from(row.sealed, 'hex');

/** Fields of events that the policy calls personal, one by one, and does not seal. */
const unsealed = ({ policy, canaries }: Look) =>
  canaries.eventTypes.flatMap((id) =>
    Object.values(policy.compiled.data[id]?.fields ?? {})
      .filter(({ name, seal }) => {
        const field = policy.data[id]?.fields?.[name];
        const category = typeof field === 'object' ? field.category : undefined;
        return seal === null && category?.startsWith('user.');
      })
      .map(({ name }) => `${id}.${name}`),
  );

type Cipher = 'aes-256-gcm' | 'another' | 'unbound' | 'no key';

/** Opens a stored frame with the person's key, then tries each change that must not open. */
async function cipherOf(look: Look, { table }: SealedCanary, row: StoredRow): Promise<Cipher> {
  const key = await rawKeyOf(look, row);
  if (!key) return 'no key';
  if (key.length !== KEY_BYTES) return 'another';
  const frame = frameOf(row);
  const { tenant } = look;
  const message = BigInt(row['message'] as string)
    .toString(16)
    .padStart(16, '0');
  for (let back = 0; back < REVISIONS_BACK; back++) {
    const revision = look.revision - back;
    const place = { tenant, table, subject: row.subject, revision, row: message };
    if (!openAsAes256Gcm(key, frame, place)) continue;
    const moved = { ...place, row: message.split('').reverse().join('') };
    const opening = [...flips(frame).map((other) => openAsAes256Gcm(key, other, place))];
    opening.push(openAsAes256Gcm(key, frame, moved));
    return opening.every((opened) => opened === undefined) ? 'aes-256-gcm' : 'unbound';
  }
  return 'another';
}

type Frames = { frames: number; nonces: number; distinct: number; strange: number };

/** All frames of a table of the last day: how many have a nonce under their key of their own. */
async function framesOf({ query }: Look, database: string, table: string): Promise<Frames> {
  const [row] = await query<Record<keyof Frames, string>>(
    `select count() as frames, uniqExact(substring(sealed, 2, 20)) as nonces,
            uniqExact(sealed) as distinct, countIf(substring(sealed, 1, 1) != unhex('01')) as strange
     from (
       select sealed from {database:Identifier}.{table:Identifier}
       where sealed != '' and received_at > now() - interval 1 day
       limit {max:UInt32})`,
    { database, table, max: FRAMES_MAX },
  );
  const { frames = 0, nonces = 0, distinct = 0, strange = 0 } = row ?? {};
  const [a, b, c, d] = [frames, nonces, distinct, strange].map(Number);
  return { frames: a ?? 0, nonces: b ?? 0, distinct: c ?? 0, strange: d ?? 0 };
}

/** What is sealed is gone with its key, as long as nothing that stays makes the key again. */
async function judgeMaking(at: Look, one: SealedCanary | undefined): Promise<Seen> {
  const [row] = one?.rows ?? [];
  const key = row && (await rawKeyOf(at, row));
  if (!one || !key) return gap(saw`the keeper gave no key for a canary`);
  const called = [one.person.userId, one.person.anonymousId];
  const { tried, found } = await derivations(at, { row, key, called });
  if (found) return broken(saw`a person's key can be derived from what stays in the keyring`);
  const again = await comesAgain(at);
  if (again === undefined) return gap(saw`the keyring made no key for a canary`);
  if (again) return broken(saw`a key that was destroyed was made again for the same name`);
  return kept(saw`none of ${tried} derivations of a person's key made it`);
}

async function look(at: Look): Promise<Seen> {
  const types = sealingTypes(at);
  const sent = await sendEach(at, types);
  if (sent.length < types.length || sent.length === 0) {
    return gap(saw`${sent.length} of ${types.length} canaries with sealed fields came back`);
  }
  // In the row itself, where the engine has undone its own compression.
  const shown = sent.filter(({ secret, rows }) => JSON.stringify(rows).includes(secret));
  const { sees, plain, bytes, files, personal } = await searched(at, types, sent);
  if (plain.length > 0) return broken(saw`personal values lie in clear in ${terms(plain)}`);
  if (shown.length > 0) return broken(saw`a clear column holds what was to be sealed`);
  if (!sees) return gap(saw`the canaries' own ciphertext was not found on the disk`);
  for (const one of sent) {
    for (const row of one.rows) {
      const cipher = await cipherOf(at, one, row);
      if (cipher === 'no key') return gap(saw`the keeper gave no key for a canary`);
      if (cipher === 'another') {
        return broken(
          saw`a frame of ${term(one.type)} is not ${term(ALGORITHM)} bound to its place`,
        );
      }
      if (cipher === 'unbound') return broken(saw`a changed frame of ${term(one.type)} opened`);
    }
  }
  const made = await judgeMaking(at, sent[0]);
  if (made.state !== 'kept') return made;
  const [found] = await at.query<{ database: string }>(
    `select database from system.tables where name = {table:String} and database like 'tenant%'
       and replaceAll(database, '_', '-') = {name:String} limit 1`,
    { table: sent[0]?.table ?? '', name: `tenant-${at.tenant}` },
  );
  let frames = 0;
  for (const { table, type } of sent) {
    const seen = await framesOf(at, found?.database ?? '', table);
    if (seen.strange > 0)
      return broken(saw`${seen.strange} frames of ${term(type)} are of no known form`);
    if (seen.nonces < seen.distinct) return broken(saw`a nonce was used twice in ${term(type)}`);
    frames += seen.frames;
  }
  return kept(
    saw`0 of ${personal} personal texts found in ${files} files (${Math.round(bytes / 1e6)} MB), where the canaries' ciphertext was; it opens as ${term(ALGORITHM)} with a 256-bit key and not after one bit is turned or in another row; ${frames} frames, no nonce twice; ${made.saw}`,
  );
}

export const atRest = defineProof({
  control: 'encryption.at-rest',
  strength: 'stored-bytes',
  blindTo:
    'A key that is made of what stays in another way than the usual ones; clear columns, which hold what the policy declares without a seal; text that an engine pressed together outside the rows of a canary; disks of other machines; files and backups, of which there are none yet.',
  async prove(at, { setting }) {
    const path = String(setting);
    if (valueAt(at.policy, path) !== ALGORITHM) {
      return gap(saw`${term(path)} does not publish ${term(ALGORITHM)}`);
    }
    if (path !== 'security.at-rest') {
      return gap(saw`nothing was found that ${term(path)} is about: no backup has been made`);
    }
    const open = unsealed(at);
    if (open.length > 0) return broken(saw`declared as personal and not sealed: ${terms(open)}`);
    return look(at);
  },
});
