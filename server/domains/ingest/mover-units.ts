/**
 * What one round of the mover inserts: the rows of some inbox rows, sorted by table and day.
 *
 * The same inbox rows always give the same units in the same order; the ledger relies on it.
 */
import { setImmediate } from 'node:timers/promises';
import { decodeInbox, type InboxRow, ROW_BATCH_AT, ROW_MESSAGE_AT } from './inbox-format.ts';

export type Unit = {
  readonly layout: number;
  readonly day: number;
  /** Its place in the round; the batch id is round * 65,536 + place. */
  readonly place: number;
  readonly rows: Buffer[];
};

export const UNITS_MAX = 65_535;

/**
 * How long an answer may wait for the mover, milliseconds; and how long the mover waits for answers
 * that are due: a busy server spends some ten milliseconds on those, so pieces counted in rows were
 * too small to keep up.
 */
const TURN_MS = 3;
const ROWS_A_LOOK = 100;

/** Does something with each item and lets other work in between, so that no answer waits for it. */
export async function inPieces<Item>(
  items: Iterable<Item>,
  work: (item: Item) => unknown,
): Promise<void> {
  let until = performance.now() + TURN_MS;
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % ROWS_A_LOOK > 0 || performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + TURN_MS;
  }
}

function* rowsOf(bodies: Iterable<Buffer>): Generator<InboxRow> {
  for (const body of bodies) yield* decodeInbox(body);
}

/** Sorts rows into units. Rows are views into the bodies. */
export async function unitsOf(bodies: Iterable<Buffer>): Promise<Unit[]> {
  const units = new Map<string, Unit>();
  await inPieces(rowsOf(bodies), ({ layout, day, row }) => {
    const name = `${layout}.${day}`;
    let unit = units.get(name);
    if (unit === undefined) {
      unit = { layout, day, place: units.size, rows: [] };
      units.set(name, unit);
    }
    unit.rows.push(row);
  });
  return [...units.values()];
}

export const messageLow = (row: Buffer) => row.readUInt32LE(ROW_MESSAGE_AT);
export const messageHigh = (row: Buffer) => row.readUInt32LE(ROW_MESSAGE_AT + 4);

export const messageOf = (row: Buffer) => row.readBigUInt64LE(ROW_MESSAGE_AT);

/** A message as ClickHouse and JavaScript both print it. */
export const messageText = (row: Buffer) => messageOf(row).toString();

/**
 * The rows as one piece, each with its batch filled in. Copies, so that a retry finds them whole.
 */
export async function assemble(rows: readonly Buffer[], batch: bigint): Promise<Buffer> {
  let length = 0;
  for (const row of rows) length += row.length;
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  await inPieces(rows, (row) => {
    row.copy(whole, at);
    whole.writeBigUInt64LE(batch, at + ROW_BATCH_AT);
    at += row.length;
  });
  return whole;
}

export const batchOf = (round: string, place: number) => BigInt(round) * 65_536n + BigInt(place);

/** Batch, message and both times stand before the name; the person stands behind it. */
const NAME_AT = 32;
const SUBJECT_BYTES = 16;

/** The opaque id in a row, as hexadecimal digits. */
export function subjectOf(row: Buffer): string {
  let at = NAME_AT;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = row[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return row.toString('hex', at + length, at + length + SUBJECT_BYTES);
}
