/**
 * The sequencer: gives every committed entry its index, within a second, in its tenant's log.
 *
 * One works at a time, in whichever process holds the lock. It takes committed entries in order
 * (those of open transactions do not exist for it, so a gap in their numbers is no concern) and
 * appends them to the log, which is durable and signed when that returns; then it tells PostgreSQL.
 * After a crash between the two the log is ahead, and PostgreSQL is told what it missed: no entry
 * is lost, and none is there twice, for an entry is known by its hash.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { type TenantId, Word } from '#base/ids';
import { logThrown } from '#platform/database';
import { writeDurably } from '#platform/tiles';
import { readOpenCuts } from './cut-store.ts';
import { isDiskError } from './disk-errors.ts';
import { lockLogs, logsIn } from './log-place.ts';
import { BATCH_ENTRIES, Logs, type LogsOptions } from './logs.ts';
import * as store from './tree-store.ts';

const LOCK = 7_412_009;
const POLL_MS = 250;
const RETRY_MS = 1_000;
/** How often the place is written to, to know that it can be, and cuts are looked for. */
const OCCASION_MS = 4_000;

export type SequencerOptions = LogsOptions;

export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #logs: Logs;
  readonly #stop = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  /** Unknown until the first look. */
  #writable: boolean | undefined;
  #occasionAt = 0;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#logs = new Logs(options);
  }

  /** Begins; resolves when this process has checked every log, or another one does the work. */
  async start(): Promise<void> {
    this.#running ??= this.#run();
    await this.#begun.promise;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#lead();
      } catch (error) {
        const where = Word('audit.sequencer');
        if (isDiskError(error)) await this.#sayUnwritable().catch(() => undefined);
        else logThrown(this.#options.log, where, error);
      }
      this.#begun.resolve();
      await this.#pause(RETRY_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Holds the lock on a connection of its own: it ends with the process or the connection. */
  async #lead(): Promise<void> {
    const held = await this.#options.db.sql.reserve();
    try {
      const [lock] = await held<{ got: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as got`;
      if (!lock?.got) return;
      try {
        const release = lockLogs(this.#options.auditDir);
        if (release === 'held') return;
        try {
          await this.#work(held);
        } finally {
          release();
        }
      } finally {
        await held`select pg_advisory_unlock(${LOCK})`.catch(() => undefined);
      }
    } finally {
      held.release();
    }
  }

  async #work(held: postgres.ReservedSql): Promise<void> {
    await this.#probe();
    const known = [
      ...logsIn(this.#options.auditDir),
      ...(await store.readTreeTenants(held)),
      ...this.#logs.tenants(),
    ];
    for (const tenant of new Set<TenantId>(known)) await this.#logs.open(tenant);
    this.#begun.resolve();
    while (!this.#stop.signal.aborted) {
      await this.#logs.retry();
      // On the connection that holds the lock: when it is lost, so is the work.
      const waiting = await store.readPendingTenants(held);
      let most = 0;
      for (const tenant of waiting) most = Math.max(most, await this.#logs.sequence(tenant));
      await this.#occasionally(held);
      // Many entries in one append cost little more than one: let some gather.
      if (most < BATCH_ENTRIES) await this.#pause(POLL_MS);
    }
  }

  async #sayUnwritable(): Promise<void> {
    const { db, clock, log } = this.#options;
    const now = clock.now();
    if (this.#writable !== false) log('audit.logs-unwritable', { retryMs: RETRY_MS });
    this.#writable = false;
    const failed = { tenant: store.ALL_LOGS, failure: 'unwritable', place: 'audit' };
    await store.writeFailure(db.sql, { ...failed, now });
  }

  /** What is done every few seconds. */
  async #occasionally(held: postgres.ReservedSql): Promise<void> {
    if (performance.now() - this.#occasionAt < OCCASION_MS) return;
    await this.#probe();
    for (const cut of await readOpenCuts(held)) await this.#logs.cut(cut);
    this.#occasionAt = performance.now();
  }

  /** Writes a little where the logs lie: acts are refused before one has failed to be recorded. */
  async #probe(): Promise<void> {
    const { auditDir, copyDir, db } = this.#options;
    for (const dir of [auditDir, copyDir]) await writeDurably(dir, [['.probe', 'x'.repeat(4_096)]]);
    if (!this.#writable) await store.clearFailure(db.sql, store.ALL_LOGS);
    this.#writable = true;
  }
}
