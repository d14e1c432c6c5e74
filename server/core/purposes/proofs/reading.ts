import { inEngine, type Look, momentOf, placesOf, readAt, readBack } from '#core/looking';
import { gap, type Seen, saw, terms } from '#core/promises';

export type Row = Readonly<Record<string, unknown>>;
export type Answered = {
  readonly status: number;
  readonly code: string;
  readonly rows: readonly Row[];
};

/** Not allowed, or hidden so well that it seems not to be there. */
const REFUSALS: ReadonlySet<number> = new Set([497, 60, 81]);

/** The login of each purpose, as the database has them. */
export async function loginsOf(look: Look): Promise<ReadonlyMap<string, number>> {
  const rows = await look.sql<{ purpose: string; login: number }[]>`
    select purpose, login from troth.purpose_logins where tenant = ${look.tenant}`;
  return new Map(rows.map(({ purpose, login }) => [purpose, login]));
}

/** Reads the newest through the service's own door, as the operator. */
export async function read(look: Look, data: string, purpose?: string): Promise<Answered> {
  const { status, json } = await look.operator(`/v1/t/${look.tenant}/events/read`, {
    body: { data, limit: 10, ...(purpose === undefined ? {} : { purpose }) },
  });
  const { code = '', rows = [] } = (json ?? {}) as { code?: string; rows?: readonly Row[] };
  return { status, code, rows };
}

/** The engine's own answer to a login that asks for the view, and for the table behind it. */
export async function asksEngine(
  look: Look,
  login: number,
  data: string,
): Promise<'shown' | 'hidden' | 'table open'> {
  const table = inEngine(data);
  const { active } = placesOf(look);
  const own = `purpose_${String(login).padStart(3, '0')}`;
  const count = 'select count() as n from {database:Identifier}.{table:Identifier}';
  const view = await look.queryAs(login, count, {
    database: own,
    table: `${active}__${table}`,
  });
  const behind = await look.queryAs(login, count, { database: active, table });
  for (const answer of [view, behind])
    if ('refused' in answer && !REFUSALS.has(answer.refused))
      throw new Error('the engine refused for another reason');
  if ('rows' in behind) return 'table open';
  return 'rows' in view ? 'shown' : 'hidden';
}

/** How many refusals of this kind are on record. */
export async function refusalsOf(look: Look, code: string): Promise<number> {
  const [row] = await look.sql<{ count: number }[]>`
    select count(*)::int as count
    from troth.audit_entries
    where tenant = ${look.tenant} and kind = 'refusal' and action = 'event.read'
      and fields ->> 'code' = ${code}`;
  return row?.count ?? 0;
}

/**
 * Sends a canary of the type and reads it back for each of the purposes.
 *
 * @returns `undefined` where the canary did not arrive; else the purposes that did not bring it
 *          back as it should come: whole, and without its sealed bytes.
 */
export async function unreadFor(
  look: Look,
  data: string,
  purposes: readonly string[],
): Promise<readonly string[] | undefined> {
  const person = await look.canaries.agreeing();
  const stored = await readBack(look, data, look.canaries.event(data, person));
  if (!stored) return undefined;
  const moment = await momentOf(look, data, String(stored['message']));
  const unread: string[] = [];
  for (const purpose of purposes) {
    const { row } = await readAt(look, moment, purpose);
    if (!row || 'sealed' in row) unread.push(purpose);
  }
  return unread;
}

/** A gap where a bound type is not made of events: nothing in this version fills the others. */
export function unfilled({ policy }: Look, types: readonly string[]): Seen | undefined {
  const others = types.filter((type) => policy.data[type]?.from !== 'events');
  if (others.length === 0) return undefined;
  return gap(saw`no part of this version fills ${terms(others)}, so nothing was there to ask for`);
}
