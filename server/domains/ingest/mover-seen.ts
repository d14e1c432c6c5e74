/**
 * The last word on duplicates: no message of the last day is stored twice, whatever process took it
 * in and whatever restarted in between.
 */

import { eventsDatabaseOf } from '#core/tenancy';
import type { Events } from '#platform/events';
import { RotatingBloom } from './bloom.ts';
import type { Layout } from './inbox-store.ts';
import { MessageWindow } from './message-window.ts';
import { inPieces, messageHigh, messageLow, messageOf, messageText } from './mover-units.ts';

const WINDOW_MS = 86_400_000;
const SLICE_ROWS = 100_000;
const ASK_AT_ONCE = 2_000;

export class SeenMessages {
  readonly #events: Events;
  readonly #now: () => Date;
  readonly #bloom: RotatingBloom;
  readonly #loaded = new Set<string>();

  constructor(events: Events, now: () => Date, bloom = new RotatingBloom()) {
    this.#events = events;
    this.#now = now;
    this.#bloom = bloom;
  }

  /** The rows that are not stored yet, each message once. Does not remember them: see `remember`. */
  async fresh(layout: Layout, rows: readonly Buffer[]): Promise<Buffer[]> {
    await this.#load(layout);
    const maybe: Buffer[] = [];
    const here = new MessageWindow(2 ** Math.ceil(Math.log2(rows.length + 1) + 1));
    const once: Buffer[] = [];
    await inPieces(rows, (row) => {
      const low = messageLow(row);
      const high = messageHigh(row);
      if (here.find(low, high) !== 0) return;
      here.put(low, high, 1);
      once.push(row);
      if (this.#bloom.mayHave(low, high)) maybe.push(row);
    });
    if (maybe.length === 0) return once;
    const stored = await this.#stored(layout, maybe);
    return stored.size === 0 ? once : once.filter((row) => !stored.has(messageText(row)));
  }

  /** Only after the insert succeeded: a row remembered too early would be lost on a retry. */
  async remember(rows: readonly Buffer[]): Promise<void> {
    await inPieces(rows, (row) => this.#bloom.add(messageLow(row), messageHigh(row)));
  }

  async #stored(layout: Layout, rows: readonly Buffer[]): Promise<Set<string>> {
    const stored = new Set<string>();
    for (let at = 0; at < rows.length; at += ASK_AT_ONCE) {
      const messages = rows.slice(at, at + ASK_AT_ONCE).map(messageOf);
      const found = await this.#events.query<{ text: string }>(
        `select distinct toString(message) as text
         from {database:Identifier}.{table:Identifier}
         where received_at > fromUnixTimestamp64Milli({since:Int64})
           and message in {messages:Array(UInt64)}`,
        { ...this.#place(layout), messages },
      );
      for (const { text } of found) stored.add(text);
    }
    return stored;
  }

  #place({ tenant, table }: Layout) {
    const since = this.#now().getTime() - WINDOW_MS;
    return { database: eventsDatabaseOf(tenant), table, since };
  }

  /** Before the first insert of this process into a table: what others stored there lately. */
  async #load(layout: Layout): Promise<void> {
    const name = `${layout.tenant}.${layout.table}`;
    if (this.#loaded.has(name)) return;
    const place = this.#place(layout);
    const [count] = await this.#events.query<{ rows: number }>(
      `select toFloat64(count()) as rows
       from {database:Identifier}.{table:Identifier}
       where received_at > fromUnixTimestamp64Milli({since:Int64})`,
      place,
    );
    const slices = Math.ceil((count?.rows ?? 0) / SLICE_ROWS);
    for (let slice = 0; slice < slices; slice++) {
      const messages = await this.#events.query<{ low: number; high: number }>(
        `select toUInt32(bitAnd(message, 4294967295)) as low, toUInt32(bitShiftRight(message, 32)) as high
         from {database:Identifier}.{table:Identifier}
         where received_at > fromUnixTimestamp64Milli({since:Int64})
           and message % {slices:UInt32} = {slice:UInt32}`,
        { ...place, slices, slice },
      );
      for (const { low, high } of messages) this.#bloom.add(low, high);
    }
    this.#loaded.add(name);
  }
}
