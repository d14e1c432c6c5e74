import { randomUUID } from 'node:crypto';
import { type Fields, type Look, momentOf, readAt, withFields } from '#core/looking';
import { broken, defineProof, gap, kept, type Saw, saw, term, terms } from '#core/promises';
import { asText, type Held, held, valueIn } from './sent.ts';

/** What no switch turns off: it stands in every row that was enriched before it was stored. */
const ALWAYS_ADDED = ['utc_offset_minutes', 'local_hour'] as const;
/** Stages that leave something to look at; for any other name there is no probe. */
const LOOKED_AT = ['Event', 'Validation', 'Enrichment', 'Storage', 'Analytics'];
/** As many as a reading shows at once; and how far two clocks of one machine may differ. */
const ROWS_MAX = 1_000;
const SLACK_MS = 50;

type Walked = {
  readonly status: number;
  readonly accepted: number;
  readonly refused: number;
  /** The row of the good event as it was when it was first seen. */
  readonly first: Held | undefined;
  /** Rows of the wrong one, and whether the keeper made an id of its person. */
  readonly wrongRows: number;
  readonly wrongPerson: boolean;
  /** Read for a purpose before the row was seen, and after. */
  readonly early: boolean;
  readonly shown: Fields | undefined;
};

/** A type of people's events with what is always added, and one number that can be sent wrong. */
function typeOf({ policy, canaries }: Look) {
  const id = canaries.eventTypes.find((type) => {
    const fields = policy.data[type]?.fields ?? {};
    return policy.data[type]?.key === 'subject' && ALWAYS_ADDED.every((name) => name in fields);
  });
  const compiled = id === undefined ? undefined : policy.compiled.data[id];
  const number = Object.values(compiled?.fields ?? {}).find(({ type }) => type === 'number');
  const purpose = id === undefined ? undefined : policy.data[id]?.purposes[0];
  return id && number && purpose ? { id, number: number.name, purpose } : undefined;
}

/** What came in since then, where it can be read at all. */
async function readSince(
  look: Look,
  { id: data, purpose }: { id: string; purpose: string },
  since: number,
): Promise<readonly Fields[]> {
  const [from, until] = [since - SLACK_MS, Date.now() + SLACK_MS].map((ms) => new Date(ms));
  const told = await look.operator(`/v1/t/${look.tenant}/events/read`, {
    body: { data, purpose, from, until, limit: ROWS_MAX },
  });
  if (told.status !== 200) throw new Error('a reading was refused');
  return (told.json as { rows: Fields[] }).rows;
}

/** Sends a good event and one that does not fit, and follows both to where they end. */
async function walk(look: Look, type: NonNullable<ReturnType<typeof typeOf>>): Promise<Walked> {
  const { canaries } = look;
  const [person, other] = [await canaries.agreeing(), canaries.person()];
  const sent = (event: Fields, more: Fields): Fields => ({
    ...withFields(event, { utc_offset_minutes: undefined, local_hour: undefined, ...more }),
    context: { ...(event['context'] as object), timezone: 'Asia/Kolkata' },
    messageId: randomUUID(),
  });
  const good = sent(canaries.event(type.id, person), {});
  const wrong = sent(canaries.event(type.id, other), { [type.number]: 'not a number' });
  const sentAt = Date.now();
  const told = await canaries.send([good, wrong]);
  const { accepted = 0, refused = [] } = (told.json ?? {}) as {
    accepted?: number;
    refused?: { index: number }[];
  };
  const before = await readSince(look, type, sentAt);
  const [message = '', wrongMessage = ''] = told.messages;
  const isStored = (await canaries.stored(type.id, message, 0)).length > 0;
  const first = await held(look, type.id, message);
  const number = first && String(first.row['message']);
  const has = (row: Fields) => String(row['message']) === number;
  const moment = number === undefined ? undefined : await momentOf(look, type.id, number);
  const after = moment && (await readAt(look, moment, type.purpose));
  return {
    status: told.status,
    accepted,
    refused: refused.length,
    first,
    wrongRows: (await canaries.stored(type.id, wrongMessage, 0)).length,
    wrongPerson: (await canaries.subjectOf('user', other.userId)) !== undefined,
    early: !isStored && before.some(has),
    shown: after?.row,
  };
}

/** What is not as it should be, stage by stage; the first that fails. */
function failure(walked: Walked): Saw | undefined {
  const { accepted, refused, first, shown } = walked;
  if (refused !== 1 || walked.wrongRows > 0) return saw`an event that does not fit was stored`;
  if (walked.wrongPerson) return saw`the person of an event that does not fit was given an id`;
  if (accepted !== 1 || !first) return saw`an event that was accepted is not stored`;
  const bare = ALWAYS_ADDED.filter((name) => asText(valueIn(first, name)) === '');
  if (bare.length > 0) return saw`the row was stored without ${terms(bare)}`;
  if (walked.early) return saw`the event was read before it was stored`;
  if (!shown) return saw`the stored event is in no reading of its purpose`;
  const other = ALWAYS_ADDED.filter(
    (name) => asText(shown[`f_${name}`] ?? shown[name]) !== asText(first.row[`f_${name}`]),
  );
  if (other.length > 0) return saw`readings show other values than were stored: ${terms(other)}`;
  return undefined;
}

export const stages = defineProof({
  control: 'ingest.stages',
  strength: 'stored-bytes',
  blindTo: 'The code between the stages: each is seen by what it leaves, or keeps from the next.',
  async prove(look, { stages: named }) {
    const names = named as readonly string[];
    const unseen = names.filter((name) => !LOOKED_AT.includes(name));
    if (unseen.length > 0) return gap(saw`nothing of this version does ${terms(unseen)} yet`);
    const order = names.map((name) => LOOKED_AT.indexOf(name));
    if (order.some((at, index) => index > 0 && at <= (order[index - 1] ?? 0))) {
      return gap(saw`the stages are not named in an order that could be looked for`);
    }
    const type = typeOf(look);
    if (!type) return gap(saw`no type of events shows all stages`);
    const walked = await walk(look, type);
    if (walked.status !== 200 && walked.status !== 207) {
      return gap(saw`the server answered ${walked.status}`);
    }
    const wrong = failure(walked);
    if (wrong) return broken(wrong);
    return kept(
      saw`an event that does not fit ended at validation: no row, and no id for its person; a good one of the same request was in the store with its local time when it was first seen, and was then read for ${term(type.purpose)} as stored`,
    );
  },
});
