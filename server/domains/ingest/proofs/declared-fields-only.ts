import { randomInt } from 'node:crypto';
import { type Canary, type Look, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, wordsOf } from '#core/promises';
import { sendAndRead } from './sent.ts';

/** Sends an event with fields that nobody declared and reads back what was stored of it. */
async function look(at: Look, person: Canary, type: string) {
  const { canaries } = at;
  const stranger = canaries.person().marker;
  const plain = canaries.event(type, person);
  // As long as this, no number of the row holds it by chance.
  const number = randomInt(10_000_000_000_000, 100_000_000_000_000);
  const strange = {
    [`x_${stranger}`]: stranger,
    ssn: stranger,
    [`n_${stranger}`]: number,
    [`m_${stranger}`]: -(number + 0.5),
    // Its value would be found nowhere; its name would.
    [`is_${stranger}`]: true,
    [`l_${stranger}`]: [stranger, number],
    [`o_${stranger}`]: { deep: { [stranger]: number } },
  };
  const event = {
    ...withFields(plain, strange),
    ...strange,
    context: { ...(plain['context'] as object), ...strange, app: { secret: stranger } },
  };
  const [found] = await sendAndRead(at, [{ type, event }]);
  const traces = [stranger, String(number)];
  return found && { undeclared: traces.some((trace) => found.text.includes(trace)) };
}

const typesOf = (at: Look, bound: unknown): readonly string[] =>
  bound === undefined ? at.canaries.eventTypes : wordsOf(bound);

export const declaredFieldsOnly = defineProof({
  control: 'ingest.declared-fields-only',
  strength: 'stored-bytes',
  blindTo: 'Types that another part than the event door fills.',
  async prove(at, { data }) {
    const types = typesOf(at, data);
    const person = await at.canaries.agreeing();
    for (const type of types) {
      const found = await look(at, person, type);
      if (!found) return gap(saw`the canary in ${term(type)} could not be read back`);
      if (found.undeclared) return broken(saw`an undeclared field was stored in ${term(type)}`);
    }
    return kept(
      saw`canaries came back from ${types.length} types, and nothing undeclared with them`,
    );
  },
});
