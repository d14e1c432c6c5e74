import { setTimeout as sleep } from 'node:timers/promises';
import { asClient, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span, terms, wordsOf } from '#core/promises';
import { swept } from './ages.ts';

const REMOVED_WITHIN_MS = 45_000;
const LOOK_EVERY_MS = 500;

/** Whether rows of these types go with their person; `undefined` when none came there. */
async function removed(look: Look, types: readonly string[]): Promise<boolean | undefined> {
  const { canaries, signal } = look;
  const person = await canaries.agreeing();
  const { messages } = await canaries.send(types.map((type) => canaries.event(type, person)));
  const rows = async (waitMs: number) => {
    const found = types.map((type, at) => canaries.stored(type, messages[at] ?? '', waitMs));
    return (await Promise.all(found)).filter((some) => some.length > 0).length;
  };
  const isThere = async () => (await rows(0)) > 0;
  if ((await rows(15_000)) < types.length) return undefined;
  await canaries.subjectOf('user', person.userId);
  const told = await asClient(look, '/erasures', {
    body: { handle: { kind: 'user', value: person.userId }, confirm: true, complete: true },
  });
  if (told.status !== 202) throw new Error('a demand was not taken in');
  for (const end = performance.now() + REMOVED_WITHIN_MS; await isThere(); ) {
    if (performance.now() > end) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}

export const untilRemoved = defineProof({
  control: 'retention.until-removed',
  strength: 'stored-bytes',
  blindTo: 'A deletion of one record alone: what is removed is removed with its person.',
  prepare: swept,
  async prove(look, { data }) {
    const types = wordsOf(data);
    const missing = types.filter((type) => look.policy.data[type]?.from !== 'events');
    if (missing.length > 0) return gap(saw`nothing makes ${terms(missing)} here yet`);
    const { types: all, ran } = await swept(look);
    if (!ran) return gap(saw`the sweep did not end while this waited`);
    for (const type of types) {
      const aged = all.get(type);
      const [old] = aged?.rows ?? [];
      if (!aged || !old) return gap(saw`nothing could be planted`);
      if (aged.promised.totalMs !== undefined) return broken(saw`it ends after a length of time`);
      if (old.found.length === 0) {
        return broken(saw`a row of ${span(old.ageMs)} was swept, and nobody had removed it`);
      }
    }
    const gone = await removed(look, types);
    if (gone === undefined) return gap(saw`no row of a person came there to be removed`);
    if (!gone) return broken(saw`a row was still there after its person was erased`);
    return kept(
      saw`a row of ten years stayed through the sweep; one whose person asked for its removal was gone`,
    );
  },
});
