/** The logs that the sequencer holds open, one for each tenant, and the state that each is in. */
import type { Clock } from '#base/clock';
import type { Signer } from '#base/ed25519';
import { type TenantId, Word } from '#base/ids';
import type { Database } from '#platform/database';
import type { Log } from '#platform/log';
import { appendEntries, cutBodies, isAsLeft, type OpenLog, writeDurably } from '#platform/tiles';
import { isOlderThan, type OpenCut, writeCutDone } from './cut-store.ts';
import { isDiskError } from './disk-errors.ts';
import { logFolder, originOf } from './log-place.ts';
import { catchUpLeaves, type Fault, startLog } from './log-start.ts';
import { leafBytesOf, leafHashOf } from './model.ts';
import * as store from './tree-store.ts';

export type LogsOptions = {
  readonly db: Pick<Database, 'sql'>;
  readonly signer: Signer;
  /** The mark of the installation: part of each log's name. */
  readonly instance: string;
  /** Outside of every restore set. */
  readonly auditDir: string;
  /** Where the second copy of each checkpoint goes: with the keys, not with the logs. */
  readonly copyDir: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** One append takes no more; whoever took as many goes on without a pause. */
export const BATCH_ENTRIES = 2_000;
const UNWRITABLE_RETRY_MS = 1_000;
/** Who restores a damaged log need not start the server anew. */
const DAMAGED_RETRY_MS = 30_000;

type Failed = { readonly fault: Fault['fault'] | 'unwritable'; readonly retryAt: number };
/** `behind`: PostgreSQL was not told yet of what the log has. */
type Held = { readonly log: OpenLog; behind: boolean };

const entryOf = ({ seq: _, known: __, leafHash: ___, ...entry }: store.PendingEntry) => entry;

export class Logs {
  readonly #options: LogsOptions;
  readonly #states = new Map<TenantId, Held | Failed>();

  constructor(options: LogsOptions) {
    this.#options = options;
  }

  tenants = () => [...this.#states.keys()];

  #place(tenant: TenantId) {
    const { auditDir, copyDir, signer } = this.#options;
    return { dir: logFolder(auditDir, tenant), copy: { dir: copyDir, name: tenant }, signer };
  }

  #given(tenant: TenantId) {
    const { db, instance } = this.#options;
    return { db, tenant, origin: originOf(instance, tenant), place: this.#place(tenant) };
  }

  async #fail(tenant: TenantId, fault: Failed['fault'], where: string): Promise<void> {
    const { db, clock, log } = this.#options;
    const after = fault === 'unwritable' ? UNWRITABLE_RETRY_MS : DAMAGED_RETRY_MS;
    this.#states.set(tenant, { fault, retryAt: performance.now() + after });
    log('audit.log-failed', { tenant, fault: Word(fault) });
    const now = clock.now();
    await store.writeFailure(db.sql, { tenant, failure: fault, place: where, now });
  }

  /** Runs what touches one tenant's files; a disk that refuses is that tenant's failure alone. */
  async #guarded<T>(tenant: TenantId, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      await this.#fail(tenant, 'unwritable', tenant);
      return undefined;
    }
  }

  /** Takes up a log. One that is held already is only looked at: whether it is as it was left. */
  async open(tenant: TenantId): Promise<void> {
    await this.#guarded(tenant, async () => {
      const known = this.#states.get(tenant);
      const place = this.#place(tenant);
      if (known && 'log' in known && (await isAsLeft(place, known.log))) return;
      if (known && 'fault' in known) await writeDurably(place.dir, [['.probe', '']]);
      const started = await startLog(this.#given(tenant));
      if ('fault' in started) return this.#fail(tenant, started.fault, started.where);
      this.#states.set(tenant, { log: started, behind: false });
      await store.clearFailure(this.#options.db.sql, tenant);
    });
  }

  /** Looks again at logs that had failed. */
  async retry(): Promise<void> {
    for (const [tenant, state] of this.#states) {
      if ('fault' in state && performance.now() >= state.retryAt) await this.open(tenant);
    }
  }

  async #held(tenant: TenantId): Promise<Held | undefined> {
    if (!this.#states.has(tenant)) await this.open(tenant);
    const state = this.#states.get(tenant);
    return state && 'log' in state ? state : undefined;
  }

  /** Appends what waits in one tenant's log. @returns how many entries were taken. */
  async sequence(tenant: TenantId): Promise<number> {
    const held = await this.#held(tenant);
    if (!held) return 0;
    const { sql } = this.#options.db;
    if (held.behind) await catchUpLeaves(this.#given(tenant), held.log.edge.size);
    held.behind = false;
    const waiting = await store.readPending(sql, tenant, BATCH_ENTRIES);
    const fresh = waiting.filter(({ known }) => !known);
    const changed = fresh.find((entry) => !leafHashOf(entryOf(entry)).equals(entry.leafHash));
    if (changed) {
      await this.#fail(tenant, 'entry-changed', changed.id);
      return 0;
    }
    const from = held.log.edge.size;
    if (fresh.length > 0 && !(await this.#append(tenant, held.log, fresh))) return 0;
    await sql.begin(async (tx) => {
      const hashes = Buffer.concat(fresh.map(({ leafHash }) => leafHash));
      if (fresh.length > 0) await store.insertLeaves(tx, { tenant, from, hashes });
      const seqs = waiting.map(({ seq }) => seq);
      await store.forgetPending(tx, tenant, seqs);
    });
    const now = this.#states.get(tenant);
    if (now && 'log' in now) now.behind = false;
    return waiting.length;
  }

  async #append(
    tenant: TenantId,
    log: OpenLog,
    fresh: readonly store.PendingEntry[],
  ): Promise<boolean> {
    const place = this.#place(tenant);
    const bodies = fresh.map((entry) => leafBytesOf(entryOf(entry)));
    const appended = await this.#guarded(tenant, async () => {
      if (!(await isAsLeft(place, log))) {
        await this.#fail(tenant, 'rolled-back', 'checkpoint');
        return undefined;
      }
      // If it fails half-way, the folder is read anew before it is written again.
      this.#states.delete(tenant);
      return appendEntries(place, log, bodies);
    });
    if (!appended) return false;
    this.#states.set(tenant, { log: appended, behind: true });
    return true;
  }

  /** Cuts off the bodies that a cut named, in the log too. Twice is harmless. */
  async cut({ entry, tenant, floor, before }: OpenCut): Promise<void> {
    const held = await this.#held(tenant);
    if (!held) return;
    const done = await this.#guarded(tenant, () => {
      this.#states.delete(tenant);
      const isOver = isOlderThan(before);
      return cutBodies(this.#place(tenant), held.log, { below: floor, isOver });
    });
    if (!done) return;
    this.#states.set(tenant, { log: done.log, behind: held.behind });
    await writeCutDone(this.#options.db.sql, { entry, bodies: done.bodies });
  }
}
