import type { Look } from '#core/looking';
import {
  broken,
  defineProof,
  eachType,
  gap,
  kept,
  type Seen,
  saw,
  term,
  terms,
} from '#core/promises';
import { handlesOf, NOBODY, sendAndRead } from './sent.ts';

/** Everything about a person that a sender may add, in one event. */
async function look(at: Look, type: string): Promise<Seen> {
  const declared = at.policy.data[type];
  if (!declared) return gap(saw`the policy declares no ${term(type)}`);
  const person = await at.canaries.agreeing();
  const subject = await at.canaries.subjectOf('user', person.userId);
  if (subject === undefined) return gap(saw`the canary's person has no id to look for`);
  const event = {
    ...at.canaries.event(type, person),
    sessionId: person.anonymousId,
    context: {
      ip: '203.0.113.77',
      traits: { email: `${person.userId}@example.com`, userId: person.userId },
      device: { id: person.anonymousId, advertisingId: person.userId },
    },
  };
  const [held] = await sendAndRead(at, [{ type, event }]);
  if (!held) return gap(saw`the canary in ${term(type)} could not be read back`);
  const { row, text } = held;
  if (row.subject !== NOBODY) return broken(saw`a row of ${term(type)} carries a person's id`);
  if (text.includes(subject)) return broken(saw`the person's id stands in a row of ${term(type)}`);
  if (String(row['session']) !== '0') return broken(saw`a row of ${term(type)} names a session`);
  if (row.sealed !== '') return broken(saw`a row of ${term(type)} has sealed personal fields`);
  const ids = [...handlesOf(person), '203.0.113.77'].filter((id) => text.includes(id));
  if (ids.length > 0) return broken(saw`${ids.length} of the sender's ids stand in ${term(type)}`);
  return kept(
    saw`an event sent under a known person, a session and an address was stored with none of them;
 ${term(type)} serves ${terms(declared.purposes)} only`,
  );
}

export const noPerson = defineProof({
  control: 'ingest.no-person',
  strength: 'stored-bytes',
  blindTo: 'A name that a sender writes into a declared text field.',
  prove: (at, { data }) => eachType(data, (type) => look(at, type)),
});
