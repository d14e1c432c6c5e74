/** Sends canaries in as few requests as the policy allows, and reads back what is stored of each. */
import type { Ask, Canary, Fields, Look, StoredRow } from '#core/looking';

/** One event to send. */
export type Sending = { readonly type: string; readonly event: Fields };

/** What the engine holds of one event. */
export type Held = {
  readonly row: StoredRow;
  /** The personal fields, opened; undefined where none were sealed. */
  readonly opened: Fields | undefined;
  /** All of it as one text, to search in. */
  readonly text: string;
};

export type Answered = {
  readonly status: number;
  readonly message: string;
  readonly body: Fields;
};

/** A row whose message was seen in the same table is not late any more; this is only the polls. */
const NEIGHBOUR_MS = 2_500;

const dictOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** Sends in batches. @returns for each event the answer to its request and its message. */
export async function sendAll(
  { canaries, policy }: Look,
  events: readonly Fields[],
  ask: Ask = {},
): Promise<Answered[]> {
  const atOnce = Math.min(policy.ingest?.limits?.batch ?? 100, 100);
  const answered: Answered[] = [];
  for (let from = 0; from < events.length; from += atOnce) {
    const told = await canaries.send(events.slice(from, from + atOnce), ask);
    const body = dictOf(told.json);
    for (const message of told.messages) answered.push({ status: told.status, message, body });
  }
  return answered;
}

/** Reads one row whole; undefined where it is not there, or holds something that nobody can open. */
export async function held(
  { canaries }: Look,
  type: string,
  message: string,
  waitMs?: number,
): Promise<Held | undefined> {
  const [row] = await canaries.stored(type, message, waitMs);
  if (!row) return undefined;
  const opened = await canaries.opened(type, row);
  if (row.sealed !== '' && !opened) return undefined;
  return { row, opened, text: JSON.stringify([row, opened]) };
}

/** Sends events and reads all of them back, in their order; undefined for one that is not there. */
export async function sendAndRead(
  look: Look,
  sendings: readonly Sending[],
  ask: Ask = {},
): Promise<(Held | undefined)[]> {
  const events = sendings.map(({ event }) => event);
  const answered = await sendAll(look, events, ask);
  const seen = new Set<string>();
  const found: (Held | undefined)[] = [];
  for (const [at, { message }] of answered.entries()) {
    const type = sendings[at]?.type ?? '';
    const one = await held(look, type, message, seen.has(type) ? NEIGHBOUR_MS : undefined);
    if (one) seen.add(type);
    found.push(one);
  }
  return found;
}

/** The value of a declared field as it is stored, clear or sealed. */
export function valueIn({ row, opened }: Held, field: string): unknown {
  return Object.hasOwn(row, `f_${field}`) ? row[`f_${field}`] : opened?.[field];
}

/** A value as text, so that a number that the engine writes in quotes is the same number. */
export const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '');

export const NOBODY = '0'.repeat(32);

/** Everything that a canary could be recognised by. */
export const handlesOf = ({ userId, anonymousId }: Canary): readonly string[] => [
  userId,
  anonymousId,
  userId.replaceAll('-', ''),
  anonymousId.replaceAll('-', ''),
];
