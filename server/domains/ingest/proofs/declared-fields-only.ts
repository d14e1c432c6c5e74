import { broken, type Canary, defineProof, gap, kept, type Look, saw, term } from '#core/promises';

/** Sends an event with fields that nobody declared and reads back what was stored of it. */
async function look(at: Look, person: Canary, dataType: string) {
  const { canaries } = at;
  const stranger = canaries.person().marker;
  const event = canaries.event(dataType, person);
  const holder = 'traits' in event ? 'traits' : 'properties';
  const sent = {
    ...event,
    [holder]: { ...(event[holder] as object), [`x_${stranger}`]: stranger, ssn: stranger },
    context: { ...(event['context'] as object), [stranger]: stranger, app: { secret: stranger } },
  };
  const { messages, status } = await canaries.send([sent]);
  const [row] = status === 200 ? await canaries.stored(dataType, messages[0] ?? '') : [];
  if (!row) return undefined;
  const opened = await canaries.opened(dataType, row);
  if (row.sealed !== '' && !opened) return undefined;
  return { undeclared: JSON.stringify([row, opened]).includes(stranger) };
}

const typesOf = (at: Look, bound: unknown): readonly string[] =>
  bound === undefined ? at.canaries.eventTypes : ([bound].flat() as string[]);

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
