/** Finds one row in a reading, however many others came in around it. */
import type { Fields } from './client.ts';
import { inEngine, placesOf } from './engine-names.ts';
import type { Look } from './look.ts';

/** As many as a reading shows at once. */
const ROWS_MAX = 1_000;

/** A row of an event table, and the millisecond in which it was received. */
export type Moment = {
  readonly data: string;
  /** Its number, as it is stored. */
  readonly message: string;
  /** ISO 8601. */
  readonly from: string;
  readonly until: string;
  /** Default: active. */
  readonly tier?: 'active' | 'archive';
};

/** What the service's own door answered to a reading of that millisecond. */
export type Answered = {
  readonly status: number;
  /** Of the problem; '' where there was none. */
  readonly code: string;
  /** All that were received in that millisecond, as far as they are shown. */
  readonly rows: readonly Fields[];
  /** The one that was asked for, where it is among them. */
  readonly row: Fields | undefined;
};

/**
 * When the row was received.
 *
 * @param message  its number, as it is stored.
 * @throws Error where it is not stored, or where it came with more others than a reading shows.
 */
export async function momentOf(look: Look, data: string, message: string): Promise<Moment> {
  const [found] = await look.query<{ at: string; rows: string }>(
    `select toString(toUnixTimestamp64Milli(any(received_at))) as at, toString(count()) as rows
     from {database:Identifier}.{table:Identifier}
     where received_at = (
       select any(received_at) from {database:Identifier}.{table:Identifier}
       where message = {message:UInt64}
       having count() > 0)`,
    { database: placesOf(look).active, table: inEngine(data), message },
  );
  const [at, rows] = [Number(found?.at), Number(found?.rows)];
  if (!(rows > 0)) throw new Error('the row is not there');
  if (rows > ROWS_MAX) throw new Error('too many rows were received at once');
  return {
    data,
    message,
    from: new Date(at).toISOString(),
    until: new Date(at + 1).toISOString(),
  };
}

/** Reads for a purpose through the service's own door, as the operator. */
export async function readAt(
  look: Look,
  { data, message, from, until, tier }: Moment,
  purpose: string,
): Promise<Answered> {
  const service = `/v1/t/${look.tenant}`;
  const { status, json } =
    tier === 'archive'
      ? await look.operator(
          `${service}/retention/${data}/archive?${new URLSearchParams({ purpose, from, until })}`,
        )
      : await look.operator(`${service}/events/read`, {
          body: { data, purpose, from, until, limit: ROWS_MAX },
        });
  const { code = '', rows = [] } = (json ?? {}) as { code?: string; rows?: readonly Fields[] };
  return { status, code, rows, row: rows.find((row) => String(row['message']) === message) };
}
