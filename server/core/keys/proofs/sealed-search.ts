/** A search of every file for what a canary said, beside its ciphertext, which has to be there. */
import type { Look } from '#core/looking';
import { nameOf } from './frames.ts';
import { type SealedCanary, sendEach } from './sealed-canaries.ts';

const SEARCHES = 4;

const controlsOf = (sent: readonly SealedCanary[]) =>
  sent.flatMap(({ rows }) => rows.map((row) => nameOf(Buffer.from(row.sealed, 'hex'))));

/** What is not to be on any disk of what was sent. */
const personalIn = (sent: readonly SealedCanary[]) =>
  sent.flatMap(({ secret, person }) => [
    secret,
    Buffer.from(secret).toString('base64').slice(0, 24),
    person.userId,
    person.anonymousId,
  ]);

type Sending = readonly SealedCanary[];

/**
 * Searches the disk for what must not be there, after a look for what must: in each engine the
 * ciphertext of one sending.
 *
 * @param seen  what was found before, as `engine name`; what is found now is added.
 */
async function search(look: Look, sendings: readonly Sending[], seen: Set<string>) {
  const controls = sendings.map(controlsOf);
  const names = controls.flat();
  const personal = sendings.flatMap(personalIn);
  const patterns = [...names, ...personal.map((text) => Buffer.from(text))];
  // What nobody wrote: were it found, the search would find anything.
  patterns.push(Buffer.from(look.canaries.person().marker));
  const { stores } = await look.bytes(patterns);
  const nameIn = (store: string, name: Buffer) => `${store} ${name.toString('hex')}`;
  for (const { store, counts } of stores) {
    for (const [at, name] of names.entries())
      if ((counts[at] ?? 0) > 0) seen.add(nameIn(store, name));
  }
  const engines = stores.filter(({ store }) => store === 'postgresql' || store === 'clickhouse');
  // Half of them, for PostgreSQL cuts what is long, and a cut may go through one of them.
  const sees = engines.every(({ store, whole }) => {
    const isSeen = (of: readonly Buffer[]) =>
      of.filter((name) => seen.has(nameIn(store, name))).length * 2 >= of.length;
    return whole && controls.some((of) => of.length > 0 && isSeen(of));
  });
  const plain = stores.filter(({ counts }) =>
    personal.some((_, at) => (counts[names.length + at] ?? 0) > 0),
  );
  const imagined = stores.some(({ counts }) => (counts.at(-1) ?? 0) > 0);
  const bytes = stores.reduce((sum, one) => sum + one.bytes, 0);
  const files = stores.reduce((sum, one) => sum + one.files, 0);
  return { sees: sees && !imagined, plain: plain.map(({ store }) => store), bytes, files };
}

/**
 * Again where the canaries were not seen, with others beside them: an engine may have joined their
 * files meanwhile, and an erasure beside this proof rewrites tables and cuts the write-ahead log.
 */
export async function searched(look: Look, types: readonly string[], sent: Sending) {
  const seen = new Set<string>();
  const sendings = [sent];
  for (let attempt = 1; ; attempt++) {
    const found = await search(look, sendings, seen);
    const personal = sendings.flatMap(personalIn).length;
    if (found.sees || found.plain.length > 0 || attempt === SEARCHES) return { ...found, personal };
    sendings.push(await sendEach(look, types));
  }
}
