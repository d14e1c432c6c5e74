import { holderOf, type Look } from '#core/looking';
import {
  broken,
  defineProof,
  eachType,
  gap,
  kept,
  type Seen,
  saw,
  span,
  term,
  terms,
} from '#core/promises';
import { asText, type Held, NOBODY, sendAndRead, valueIn } from './sent.ts';

type Bound = { readonly type: string; readonly name?: string; readonly fields?: readonly string[] };

/** A second is cut off on either side. */
const ROUNDING_MS = 2_000;

const timeOf = (text: unknown) => Date.parse(`${String(text).replace(' ', 'T').slice(0, 19)}Z`);

/** The shortest and the longest life that the policy allows a row of this type; null: no length. */
function livesOf({ policy }: Look, type: string): { least: number; most: number } | null {
  const compiled = policy.compiled.data[type];
  const most = compiled?.retain.milliseconds ?? null;
  if (!compiled || most === null) return null;
  const regional = Object.values(compiled.retainIn ?? {}).map(({ milliseconds }) => milliseconds);
  return { least: Math.min(most, ...regional.filter((length) => length !== null)), most };
}

/** Whose row it must be: the person's where the policy keys it by person, nobody's elsewhere. */
async function ownerOf(look: Look, type: string, userId: string): Promise<string | undefined> {
  if (look.policy.data[type]?.key !== 'subject') return NOBODY;
  return look.canaries.subjectOf('user', userId);
}

function judge(look: Look, { type, name, fields }: Bound, given: Given): Seen {
  const { held, sent, owner } = given;
  if (name !== undefined && held.row['name'] !== name) {
    return broken(saw`the row in ${term(type)} is not named ${term(name)}`);
  }
  const wanted = fields ?? Object.keys(sent);
  const lost = wanted.filter((field) => {
    const was = sent[field];
    return was === undefined || asText(valueIn(held, field)) !== asText(was);
  });
  if (lost.length > 0) return broken(saw`${terms(lost)} did not come back from ${term(type)}`);
  if (held.row.subject !== owner) {
    return broken(saw`the row in ${term(type)} is under another person than it must be`);
  }
  const lives = livesOf(look, type);
  const life = timeOf(held.row['expires']) - timeOf(held.row.received_at);
  if (lives && (life > lives.most + ROUNDING_MS || life < lives.least - ROUNDING_MS)) {
    return broken(saw`the row expires after ${span(life)}, not after ${span(lives.most)}`);
  }
  const whose = owner === NOBODY ? term('no person') : term('the person whom an erasure finds');
  const end = lives ? term(`expires after ${span(life)}`) : term('expires with what it belongs to');
  return kept(saw`${wanted.length} fields came back from ${term(type)}; ${end}; under ${whose}`);
}

type Given = {
  readonly held: Held;
  readonly sent: Record<string, unknown>;
  readonly owner: string;
};

async function look(at: Look, bound: Bound): Promise<Seen> {
  const { type, name } = bound;
  if (!at.policy.data[type]) return gap(saw`the policy declares no ${term(type)}`);
  const person = await at.canaries.agreeing();
  const event = at.canaries.event(type, person, name === undefined ? {} : { event: name });
  const { anonymousId: _, userId: __, ...nameless } = event;
  const isPersons = at.policy.data[type]?.key === 'subject';
  const sendings = [{ type, event }, ...(isPersons ? [] : [{ type, event: nameless }])];
  const [first, second] = await sendAndRead(at, sendings);
  if (!first) return broken(saw`an event of ${term(type)} was not stored within 15 s`);
  if (!isPersons && !second)
    return broken(saw`an event of ${term(type)} without any id was not stored`);
  const sent = event[holderOf(event)] as Record<string, unknown>;
  const owner = await ownerOf(at, type, person.userId);
  if (owner === undefined) return broken(saw`the keeper has no id for the canary's person`);
  return judge(at, bound, { held: first, sent, owner });
}

export const eventStored = defineProof({
  control: 'ingest.event-stored',
  strength: 'stored-bytes',
  blindTo: 'What later becomes of the row: its end and its erasure have proofs of their own.',
  prove: (at, { data, event, fields }) =>
    eachType(data, (type) =>
      look(at, {
        type,
        ...(event === undefined ? {} : { name: event as string }),
        ...(fields === undefined ? {} : { fields: fields as string[] }),
      }),
    ),
});
