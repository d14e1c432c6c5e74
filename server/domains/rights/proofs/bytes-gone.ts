import type { ByteLook } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { type Erased, erased, type Left, patternsOf } from './erased.ts';

const ENGINES = ['clickhouse', 'postgresql'] as const;

/** How often bytes of somebody were found in a store. @param first  where their patterns begin. */
function countsOf(
  { counts }: ByteLook['stores'][number],
  left: Left,
  { first, of }: { first: number; of: readonly Buffer[] },
): number {
  const wanted = new Set(of.map((bytes) => bytes.toString('hex')));
  return patternsOf(left)
    .map((bytes, at) => (wanted.has(bytes.toString('hex')) ? (counts[first + at] ?? 0) : 0))
    .reduce((sum, count) => sum + count, 0);
}

const each = (all: readonly Buffer[]) => all.map((one) => [one]);

function look({ gone, stays, search }: Erased) {
  const from = patternsOf(gone).length;
  const found: string[] = [];
  const unseen: string[] = [];
  for (const one of search.stores) {
    const { store } = one;
    // In PostgreSQL the opaque id stays in the audit log and in the demand itself.
    const own = store === 'postgresql' ? 'postgresql' : 'clickhouse';
    const of = [...gone.bytes[own], ...gone.bytes.keyring, ...gone.bytes.texts];
    if (countsOf(one, gone, { first: 0, of }) > 0) found.push(store);
    const isEngine = ENGINES.some((engine) => engine === store);
    // Each archive apart: an erasure may leave it out.
    const { archived } = stays.bytes;
    const looked =
      store === 'clickhouse' ? [stays.bytes[own], ...each(archived)] : [stays.bytes[own]];
    const sees = looked.every((of) => countsOf(one, stays, { first: from, of }) > 0);
    if (isEngine && !(one.whole && sees)) unseen.push(store);
  }
  return { found, unseen };
}

export const bytesGone = defineProof({
  control: 'erasure.bytes-gone',
  strength: 'stored-bytes',
  blindTo:
    'What an engine pressed together with its neighbours; disks of other machines; space that the file system has given back and not written over.',
  prepare: erased,
  async prove(at) {
    const scene = await erased(at);
    const { demand, gone, after, search } = scene;
    const { found, unseen } = look(scene);
    if (demand.state !== 'done') return gap(saw`the erasure was under way when the time was over`);
    if (found.length > 0) return broken(saw`bytes of an erased person lie in ${terms(found)}`);
    if (after.gone.keyring > 0) return broken(saw`bytes of a destroyed key lie in the keyring`);
    if (unseen.length > 0) {
      return gap(
        saw`bytes of who stays were not found in ${terms(unseen)}, so the search is blind`,
      );
    }
    const files = search.stores.reduce((sum, one) => sum + one.files, 0);
    const bytes = search.stores.reduce((sum, one) => sum + one.bytes, 0);
    return kept(
      saw`0 of ${patternsOf(gone).length} byte patterns of an erased person in ${files} files (${Math.round(bytes / 1e6)} MB) and in the keyring; those of somebody who stays were found by the same search in every engine`,
    );
  },
});
