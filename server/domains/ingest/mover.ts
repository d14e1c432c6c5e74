/**
 * The mover: from the inbox into the event store, once.
 *
 * One mover works at a time, in whichever process holds the lock. It takes the oldest inbox rows,
 * commits to the ledger what it is about to insert, inserts, and then lets go of the inbox rows.
 * When anything fails between, the round is done again, and each of its batches is asked for first:
 * the engine takes an insert of one partition whole or not at all, so a batch is there or it is
 * not.
 */

import { SubjectId, Word } from '#base/ids';
import type { Problem } from '#base/problem';
import { eventsDatabaseOf } from '#core/tenancy';
import { type Database, logThrown } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import * as inbox from './inbox-store.ts';
import { stuckBody } from './inbox-stuck.ts';
import { isBatchThere } from './ledger-batches.ts';
import { SeenMessages } from './mover-seen.ts';
import { assemble, batchOf, subjectOf, UNITS_MAX, type Unit, unitsOf } from './mover-units.ts';
import type { HiddenPort } from './ports.ts';

export type MoverOptions = {
  readonly db: Pick<Database, 'sql'>;
  readonly events: Events;
  readonly now: () => Date;
  readonly log: Log;
  readonly hidden?: HiddenPort | undefined;
  /** An insert waits for this many rows, or for `waitMs`. */
  readonly rowsWanted?: number;
  readonly waitMs?: number;
};

const LOCK = 7_305_417;
/** Each insert makes files, and each table is an insert: few large rounds, while nobody waits long. */
const ROWS_WANTED = 50_000;
const WAIT_MS = 700;
const ROUND_ROWS_MAX = 150_000;
const ROUND_BYTES_MAX = 32 * 1024 * 1024;
const WAITING_MAX = 4_000;
const IN_MEMORY_BYTES_MAX = 48 * 1024 * 1024;
const INSERTS_AT_ONCE = 4;
const REFUSALS_MAX = 4;
/**
 * What no waiting mends: a column, table or database that is not there, bytes that cannot be read
 * as the columns. Everything else (memory, disk, time, too many parts) passes, and is waited for.
 */
const WILL_NEVER_TAKE = new Set([6, 16, 26, 27, 33, 36, 38, 41, 53, 60, 69, 72, 81, 117, 131]);
/** While rows wait that are too few and too young to be moved. */
const PAUSE_MS = 50;
/** While none waits. What this process commits ends the pause; another's is seen at its end. */
const IDLE_MS = 500;
const FAILURE_PAUSE_MS = 1_000;
const LEDGER_MS = 7 * 86_400_000;
const VACUUM_EVERY_MS = 15_000;

export class Mover {
  readonly #options: MoverOptions;
  readonly #seen: SeenMessages;
  readonly #bodies = new Map<string, Buffer>();
  readonly #layouts = new Map<number, inbox.Layout>();
  readonly #ended = new Set<number>();
  readonly #refused = new Map<string, number>();
  #bodyBytes = 0;
  #stopping = false;
  #idle = false;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #vacuumAt = 0;
  #tidyAt = 0;
  /** Rows moved since start. */
  rows = 0;
  /** Milliseconds from the receipt of the oldest row of the last round to its being queryable. */
  lagMs = 0;

  constructor(options: MoverOptions) {
    this.#options = options;
    this.#seen = new SeenMessages(options.events, options.now);
  }

  /** Keeps the body of a row that this process has just committed, to save reading it back. */
  offer(id: string, body: Buffer): void {
    if (this.#idle) this.#wake?.();
    if (this.#bodyBytes + body.length > IN_MEMORY_BYTES_MAX) return;
    this.#bodies.set(id, body);
    this.#bodyBytes += body.length;
  }

  /** Of a service that has ended: its layouts are asked for again. */
  forget(tenant: string): void {
    for (const [id, layout] of this.#layouts)
      if (layout.tenant === tenant) this.#layouts.delete(id);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#holdLock();
      } catch (error) {
        logThrown(this.#options.log, Word('ingest.mover'), error);
      }
      if (!this.#stopping) await this.#pause(FAILURE_PAUSE_MS);
    }
  }

  /** Holds the lock on a connection of its own: it ends with the process or the connection. */
  async #holdLock(): Promise<void> {
    const held = await this.#options.db.sql.reserve();
    try {
      const [lock] = await held<{ got: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as got`;
      if (!lock?.got) return;
      try {
        await this.#work(async () => {
          await held`select 1`;
        });
      } finally {
        await held`select pg_advisory_unlock(${LOCK})`.catch(() => undefined);
      }
    } finally {
      held.release();
    }
  }

  async #work(stillHeld: () => Promise<void>): Promise<void> {
    for (const round of await inbox.readOpenRounds(this.#options.db.sql)) await this.#finish(round);
    while (!this.#stopping) {
      await stillHeld();
      const moved = await this.moveOnce();
      if (moved === 0) {
        await this.#tidy();
        await this.#pause(this.#idle ? IDLE_MS : PAUSE_MS);
      }
    }
  }

  /**
   * One round, if enough waits or has waited long enough. @returns the number of inbox rows moved.
   */
  async moveOnce(force = false): Promise<number> {
    const { db, now } = this.#options;
    const waiting = await inbox.readWaiting(db.sql, WAITING_MAX);
    const oldest = waiting[0];
    this.#idle = oldest === undefined;
    if (oldest === undefined) return 0;
    const total = waiting.reduce((sum, { rows }) => sum + rows, 0);
    const waited = now().getTime() - oldest.receivedAt.getTime();
    const { rowsWanted = ROWS_WANTED, waitMs = WAIT_MS } = this.#options;
    if (!force && total < rowsWanted && waited < waitMs) return 0;
    const taken = takeRound(waiting);
    const units = await unitsOf((await this.#read(taken.map(({ id }) => id))).values());
    if (units.length > UNITS_MAX) throw new Error('more tables in a round than batch ids');
    const round = await inbox.openRound(
      db.sql,
      taken.map(({ id }) => id),
      units.map(({ layout, day, rows }) => ({ layout, day, rows: rows.length })),
      now(),
    );
    await this.#move(round, units, false);
    this.lagMs = now().getTime() - oldest.receivedAt.getTime();
    return taken.length;
  }

  async #finish(round: inbox.Round): Promise<void> {
    const bodies = await this.#read(round.inboxIds);
    await this.#move(round, await unitsOf(bodies.values()), true);
  }

  /** Until it is done: the rows are accepted, so there is no giving up, only waiting. */
  async #move(round: inbox.Round, units: readonly Unit[], mayBeThere: boolean): Promise<void> {
    const { db, now, log } = this.#options;
    await this.#know(units);
    await this.#options.hidden?.refresh();
    let check = mayBeThere;
    let left = [...units];
    for (let attempt = 1; ; attempt++) {
      const failed: Unit[] = [];
      const queue = [...left];
      const work = async () => {
        for (let unit = queue.shift(); unit; unit = queue.shift()) {
          try {
            await this.#insert(round, unit, check);
          } catch (error) {
            if (!(await this.#isSetAside(round, unit, error))) failed.push(unit);
          }
        }
      };
      await Promise.all(Array.from({ length: INSERTS_AT_ONCE }, work));
      if (failed.length === 0) break;
      log('ingest.move-failed', { tables: failed.length, attempt });
      if (this.#stopping) return;
      left = failed;
      check = true;
      await this.#pause(Math.min(FAILURE_PAUSE_MS * attempt, 5_000));
    }
    await inbox.settleRound(db.sql, round, now());
    this.#refused.clear();
    for (const id of round.inboxIds) {
      this.#bodyBytes -= this.#bodies.get(id)?.length ?? 0;
      this.#bodies.delete(id);
    }
  }

  async #insert(round: inbox.Round, unit: Unit, mayBeThere: boolean): Promise<void> {
    const { events } = this.#options;
    const layout = this.#layouts.get(unit.layout);
    if (this.#ended.has(unit.layout)) return;
    if (layout === undefined) throw new Error('an inbox row names a layout that does not exist');
    const batch = batchOf(round.id, unit.place);
    const { tenant, table } = layout;
    const isThere = () => isBatchThere(events, { tenant, table, day: unit.day }, batch);
    if (mayBeThere && (await isThere())) return;
    const rows = await this.#seen.fresh(layout, this.#withoutHidden(layout, unit.rows));
    if (rows.length === 0) return;
    await events.insert({
      database: eventsDatabaseOf(tenant),
      table,
      columns: layout.columns,
      rows: await assemble(rows, batch),
      format: 'RowBinary',
      token: `troth-${batch}`,
    });
    await this.#seen.remember(rows);
    this.rows += rows.length;
  }

  /** Accepted before their person was hidden, or on the way while it happened: they end here. */
  #withoutHidden({ tenant }: inbox.Layout, rows: readonly Buffer[]): readonly Buffer[] {
    const { hidden } = this.#options;
    if (!hidden?.any(tenant)) return rows;
    return rows.filter((row) => {
      const subject = SubjectId(subjectOf(row));
      if (!hidden.has(tenant, subject)) return true;
      hidden.noteDropped(tenant, subject, 1);
      return false;
    });
  }

  /**
   * A refusal repeated by a working engine would stop everything behind it: the rows step aside.
   */
  async #isSetAside(round: inbox.Round, unit: Unit, error: unknown): Promise<boolean> {
    const problem = error as Partial<Problem>;
    const reason = Number(problem.fields?.['engineCode'] ?? 0);
    if (problem.code !== 'events-refused' || !WILL_NEVER_TAKE.has(reason)) return false;
    const name = `${round.id}.${unit.place}`;
    const refusals = (this.#refused.get(name) ?? 0) + 1;
    this.#refused.set(name, refusals);
    if (refusals < REFUSALS_MAX) return false;
    const { db, log, now } = this.#options;
    const known = this.#layouts.get(unit.layout);
    const kept = known ? this.#withoutHidden(known, unit.rows) : unit.rows;
    if (kept.length === 0) return true;
    const { layout, day } = unit;
    const rows = kept.length;
    const body = stuckBody({ layout, day, rows: kept }, batchOf(round.id, unit.place));
    await inbox.setAside(db.sql, { layout, day, rows, body, reason }, now());
    log('ingest.rows-set-aside', { rows, engineCode: reason });
    return true;
  }

  async #read(ids: readonly string[]): Promise<Map<string, Buffer>> {
    const missing = ids.filter((id) => !this.#bodies.has(id));
    const read = await inbox.readBodies(this.#options.db.sql, missing);
    const bodies = new Map<string, Buffer>();
    for (const id of ids) {
      const body = this.#bodies.get(id) ?? read.get(id);
      if (body) bodies.set(id, body);
    }
    return bodies;
  }

  async #know(units: readonly Unit[]): Promise<void> {
    const unknown = units.map(({ layout }) => layout).filter((id) => !this.#layouts.has(id));
    if (unknown.length === 0) return;
    const { sql } = this.#options.db;
    for (const layout of await inbox.readLayouts(sql, [...new Set(unknown)])) {
      this.#layouts.set(layout.id, layout);
    }
    const missing = unknown.filter((id) => !this.#layouts.has(id));
    for (const id of await inbox.readEndedLayouts(sql, missing)) this.#ended.add(id);
  }

  async #tidy(): Promise<void> {
    const { db, now } = this.#options;
    const time = now().getTime();
    if (this.rows > 0 && time > this.#vacuumAt) {
      this.#vacuumAt = time + VACUUM_EVERY_MS;
      await inbox.vacuumInbox(db.sql);
    }
    if (time > this.#tidyAt) {
      this.#tidyAt = time + 3_600_000;
      await inbox.forgetRounds(db.sql, new Date(time - LEDGER_MS));
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}

function takeRound(waiting: readonly inbox.Waiting[]): inbox.Waiting[] {
  const taken: inbox.Waiting[] = [];
  let rows = 0;
  let bytes = 0;
  for (const one of waiting) {
    if (
      taken.length > 0 &&
      (rows + one.rows > ROUND_ROWS_MAX || bytes + one.bytes > ROUND_BYTES_MAX)
    ) {
      break;
    }
    taken.push(one);
    rows += one.rows;
    bytes += one.bytes;
  }
  return taken;
}
