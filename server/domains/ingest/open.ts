import type { IncomingMessage } from 'node:http';
import { type KeyId, type TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import type { Policies, PolicyInForce } from '#core/policy';
import { eventTablesOf } from '#core/tenancy';
import { type Database, databaseAway, logThrown } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import { type Counted, PipelineCounts } from './drops.ts';
import { ingestProblem } from './errors.ts';
import { createIngestHandler, type HttpOptions, type IngestHandler } from './http.ts';
import { Inbox } from './inbox.ts';
import { type InboxErasure, inboxErasure, untilMoved } from './inbox-erasure.ts';
import {
  type Backlog,
  endLayouts,
  inboxWriter,
  readBacklog,
  registerLayouts,
} from './inbox-store.ts';
import { KeyedHashes } from './keyed-hashes.ts';
import { MessageWindow } from './message-window.ts';
import type { Arrived, Batch } from './model.ts';
import { Mover } from './mover.ts';
import { runPipeline, stepTimes } from './pipeline.ts';
import { compileIngestPlan, type IngestPlan, type PlanOptions } from './plan.ts';
import type { HiddenPort, Tools } from './ports.ts';
import { RateLimits } from './rates.ts';
import * as store from './store.ts';
import { countStuck, type StuckCount } from './store-stuck.ts';
import { WriteKeys } from './write-keys.ts';

type Limits = ReturnType<NonNullable<PlanOptions['limits']>>;

export type IngestOptions = Pick<Tools, 'keys' | 'consent' | 'location'> &
  Pick<HttpOptions, 'addressOf' | 'recordRefusal'> & {
    readonly db: Database;
    readonly events: Events;
    readonly policies: Policies;
    readonly log: Log;
    readonly now?: () => Date;
    /** Keys whose events are nobody's: walked as all others, and counted for themselves. */
    readonly isCountedApart?: (key: KeyId) => boolean;
    readonly reportMinor?: Tools['reportMinor'];
    /** How long rows live, by a service's choices. Default: as its policy says. */
    readonly limitsOf?: (inForce: PolicyInForce, dataType: string) => Limits;
    /** People who are being forgotten. Default: nobody. */
    readonly hidden?: HiddenPort;
    /** Bytes that may wait for the event store before senders are told to wait. Default 2 GiB. */
    readonly backlogBytesMax?: number;
    /** Off for a server that only receives. Default on. */
    readonly moves?: boolean;
    /** Rows an insert waits for, or milliseconds; see the mover. */
    readonly rowsWanted?: number;
    readonly waitMs?: number;
    readonly answerWithinMs?: number;
  };

/** What the pipeline did for one tenant: for the page that shows it live. */
export type PipelineView = {
  readonly steps: readonly { step: string; batches: number; milliseconds: number }[];
  /** Per data type and reason since the first day asked for. `-` stands for no known type. */
  readonly counted: readonly Counted[];
  /** The same of keys that are counted apart, since this process started. */
  readonly countedApart: readonly Counted[];
  /** Events that are durable and not yet queryable. */
  readonly backlog: { readonly rows: number; readonly bytes: number; readonly oldestMs: number };
  readonly lagMs: number;
  /** Rows that are durable and that the event store will not take, by its reason. */
  readonly stuck: readonly Omit<StuckCount, 'tenant'>[];
};

export type Ingest = {
  readonly handler: IngestHandler;
  readonly keys: WriteKeys;
  planOf(tenant: string): IngestPlan | undefined;
  /** Resolves when this process works by the policy and the switches as they now stand. */
  refresh(tenant: TenantId): Promise<void>;
  /** The country that an event would be judged by; '' where it is not found. */
  countryOf(request: IncomingMessage | undefined, named: string | undefined): string;
  /** Runs events that did not come over HTTP through the same pipeline; resolves when durable. */
  submit(arrived: Arrived): Promise<Batch>;
  view(tenant: TenantId, sinceDay: string): Promise<PipelineView>;
  /** What this process counted since it started; from memory, without waiting. */
  snapshot(tenant: string): PipelineView;
  /** For who erases people: their rows that wait for the event store, or were set aside. */
  readonly erasure: InboxErasure;
  /**
   * Ends a service whose policy is no longer in force: nothing of it waits when this resolves.
   *
   * @throws Problem ingest-busy: the event store is behind. Repeat it.
   */
  end(tenant: TenantId): Promise<void>;
  /** Moves everything that waits; for tests and for an orderly stop. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

const COUNTS_EVERY_MS = 5_000;
const BACKLOG_EVERY_MS = 1_000;
const BACKLOG_BYTES_MAX = 2 * 1024 ** 3;
const FAILURES_MAX = 50_000;
const END_WAIT_MS = 30_000;

/** Opens the ingest path: plans for the policies in force, the inbox, the mover and the handler. */
export async function openIngest(options: IngestOptions): Promise<Ingest> {
  const opened = new OpenIngest(options);
  await opened.begin();
  return opened;
}

class OpenIngest implements Ingest {
  readonly #options: IngestOptions;
  readonly #now: () => Date;
  readonly #counts = new PipelineCounts();
  readonly #countsApart = new PipelineCounts();
  readonly #told = new Map<string, number>();
  readonly #plans = new Map<string, IngestPlan>();
  readonly #plansApart = new Map<string, IngestPlan>();
  readonly #switching = new Map<string, NodeJS.Timeout>();
  readonly #inbox: Inbox;
  readonly #mover: Mover;
  readonly #tools: Tools;
  readonly #ending: (() => unknown)[] = [];
  readonly keys: WriteKeys;
  readonly handler: IngestHandler;
  readonly erasure: InboxErasure;
  #compiled: Promise<void> = Promise.resolve();
  #backlog: Backlog = { rows: 0, bytes: 0, oldest: null };
  #stuck: readonly StuckCount[] = [];

  constructor(options: IngestOptions) {
    const { db, events, log } = options;
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.erasure = inboxErasure(db.sql);
    this.keys = new WriteKeys((id) => store.readWriteKey(db.sql, id));
    this.#mover = new Mover({ ...options, db, events, log, now: this.#now });
    this.#inbox = new Inbox({
      writer: inboxWriter(db.sql, this.#now),
      committed: (id, body, more) => {
        const { rows, bytes, oldest } = this.#backlog;
        this.#backlog = { rows: rows + more, bytes: bytes + body.length, oldest };
        if (options.moves !== false) this.#mover.offer(id, body);
      },
      ...(options.answerWithinMs !== undefined && { answerWithinMs: options.answerWithinMs }),
    });
    const { keys, consent, location } = options;
    this.#tools = {
      keys,
      consent,
      location,
      hashes: new KeyedHashes(keys),
      rates: new RateLimits(),
      window: new MessageWindow(),
      inbox: this.#inbox,
      reportMinor: options.reportMinor ?? (() => undefined),
    };
    this.handler = createIngestHandler({
      keys: this.keys,
      planFor: ({ id, tenant }) =>
        (options.isCountedApart?.(id) ? this.#plansApart : this.#plans).get(tenant),
      run: (arrived) => runPipeline(arrived, this.#tools),
      whenDurable: (group, done) => this.#inbox.whenDurable(group, done),
      isBusy: () => this.#isBusy(),
      now: this.#now,
      problemOf: (error) => this.#problemOf(error),
      ...(options.addressOf && { addressOf: options.addressOf }),
      ...(options.recordRefusal && { recordRefusal: options.recordRefusal }),
    });
  }

  async begin(): Promise<void> {
    const { db, policies } = this.#options;
    for (const key of await store.readWriteKeys(db.sql)) this.keys.put(key);
    for (const tenant of policies.tenants()) await this.#compile(policies.inForce(tenant));
    this.#ending.push(policies.onChange((changed) => void this.#recompile(changed)));
    this.#ending.push(policies.onEnd((tenant) => this.#forget(tenant)));
    const keysChanged = await db.sql.listen(store.KEYS_CHANNEL, (id) => void this.keys.refresh(id));
    const switched = await db.sql.listen(store.SWITCHES_CHANNEL, (tenant) => {
      const found = policies.find(tenant);
      if (found) void this.#recompile(found);
    });
    this.#ending.push(
      () => keysChanged.unlisten(),
      () => switched.unlisten(),
    );
    this.#every(COUNTS_EVERY_MS, () => this.#writeCounts());
    this.#every(BACKLOG_EVERY_MS, async () => {
      this.#backlog = await readBacklog(db.sql);
    });
    this.#every(COUNTS_EVERY_MS, async () => {
      this.#stuck = await countStuck(db.sql);
    });
    if (this.#options.moves !== false) this.#mover.start();
  }

  #forget(tenant: TenantId): void {
    this.#plans.delete(tenant);
    this.#plansApart.delete(tenant);
    this.#counts.forget(tenant);
    this.#countsApart.forget(tenant);
    this.#mover.forget(tenant);
    this.#tools.hashes.forget(tenant);
    for (const name of this.#told.keys()) {
      if (name.startsWith(`${tenant} `)) this.#told.delete(name);
    }
  }

  #every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      // An engine that is away is noticed where it matters; here the next turn tries again.
      work()
        .catch(() => undefined)
        .finally(() => {
          busy = false;
        });
    }, ms);
    timer.unref();
    this.#ending.push(() => clearInterval(timer));
  }

  async #compile(inForce: PolicyInForce): Promise<void> {
    const { tenant, policy, revision } = inForce;
    const { db, keys, policies } = this.#options;
    await keys.prepare(tenant);
    const columns = new Map(
      eventTablesOf(tenant, policy).map(({ table, columns: all }) => [
        table,
        new Map(all.map(({ name, type }) => [name, type])),
      ]),
    );
    const now = this.#now();
    const { switches, until } = await store.readSwitches(db.sql, tenant, now);
    if (until) this.#compileAt(tenant, until.getTime() - now.getTime());
    const { limitsOf } = this.#options;
    const given = {
      tenant,
      revision,
      columns,
      switches,
      ...(limitsOf && { limits: (dataType: string) => limitsOf(inForce, dataType) }),
    };
    const plan = compileIngestPlan(policy, { ...given, counts: this.#counts });
    const apart = compileIngestPlan(policy, { ...given, counts: this.#countsApart });
    await registerLayouts(db.sql, plan);
    await registerLayouts(db.sql, apart);
    // It may have ended meanwhile.
    if (!policies.find(tenant)) return;
    this.#plans.set(tenant, plan);
    this.#plansApart.set(tenant, apart);
  }

  /** A switch that was set for a while goes back. A moment later: both clocks must have passed it. */
  #compileAt(tenant: TenantId, inMs: number): void {
    clearTimeout(this.#switching.get(tenant));
    const timer = setTimeout(() => {
      const found = this.#options.policies.find(tenant);
      if (found) void this.#recompile(found);
    }, inMs + 5);
    this.#switching.set(tenant, timer.unref());
  }

  /** One after the other: what was read last is also what stands last. */
  #recompile(changed: PolicyInForce): Promise<void> {
    this.#compiled = this.#compiled.then(() => this.#compileAgain(changed));
    return this.#compiled;
  }

  /**
   * Until the new plan stands, the one before goes on: two adjacent revisions are always in order.
   */
  async #compileAgain(changed: PolicyInForce): Promise<void> {
    const found = this.#options.policies.find(changed.tenant);
    if (!found) return;
    try {
      await this.#compile(found);
    } catch (error) {
      logThrown(this.#options.log, Word('ingest.compile'), error);
      setTimeout(() => void this.#recompile(changed), 1_000).unref();
    }
  }

  #isBusy(): boolean {
    if (this.#inbox.failures > FAILURES_MAX) {
      this.#tools.window.forget();
      this.#inbox.forgetFailures();
    }
    const most = this.#options.backlogBytesMax ?? BACKLOG_BYTES_MAX;
    return this.#inbox.isFull || this.#backlog.bytes > most;
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (!databaseAway(error)) logThrown(this.#options.log, Word('ingest.request'), error);
    return ingestProblem('ingest-not-durable', 'a part of the platform does not answer', {
      retryAfterSeconds: 1,
    });
  }

  async refresh(tenant: TenantId): Promise<void> {
    await this.#recompile(this.#options.policies.inForce(tenant));
  }

  countryOf(request: IncomingMessage | undefined, named: string | undefined): string {
    const { addressOf, location } = this.#options;
    const address = named ?? (request && (addressOf?.(request) ?? request.socket.remoteAddress));
    return location.locate(address ?? '').country;
  }

  planOf(tenant: string): IngestPlan | undefined {
    return this.#plans.get(tenant);
  }

  async submit(arrived: Arrived): Promise<Batch> {
    const batch = await runPipeline(arrived, this.#tools);
    if (batch.group === 0) return batch;
    const durable = await new Promise<boolean>((done) => {
      this.#inbox.whenDurable(batch.group, done);
    });
    if (durable) return batch;
    throw ingestProblem('ingest-not-durable', 'send it again', { retryAfterSeconds: 1 });
  }

  async view(tenant: TenantId, sinceDay: string): Promise<PipelineView> {
    await this.#writeCounts();
    const counted = await store.readCounts(this.#options.db.sql, tenant, sinceDay);
    return { ...this.snapshot(tenant), counted };
  }

  snapshot(tenant: string): PipelineView {
    const { rows, bytes, oldest } = this.#backlog;
    return {
      steps: stepTimes,
      counted: this.#counts.ofTenant(tenant),
      countedApart: this.#countsApart.ofTenant(tenant),
      backlog: { rows, bytes, oldestMs: oldest ? this.#now().getTime() - oldest.getTime() : 0 },
      lagMs: this.#mover.lagMs,
      stuck: this.#stuck.filter((one) => one.tenant === tenant),
    };
  }

  async #writeCounts(): Promise<void> {
    const day = this.#now().toISOString().slice(0, 10);
    for (const tenant of this.#counts.tenants()) {
      const more = this.#counts.ofTenant(tenant).flatMap((counted) => {
        const name = `${tenant} ${counted.type} ${counted.reason}`;
        const told = this.#told.get(name) ?? 0;
        return counted.count > told ? [{ ...counted, count: counted.count - told, name }] : [];
      });
      if (more.length === 0) continue;
      for (const { name, count } of more) this.#told.set(name, (this.#told.get(name) ?? 0) + count);
      await store.addCounts(this.#options.db.sql, tenant, day, more).catch((error: unknown) => {
        for (const { name, count } of more)
          this.#told.set(name, (this.#told.get(name) ?? 0) - count);
        throw error;
      });
    }
  }

  async end(tenant: TenantId): Promise<void> {
    const { sql } = this.#options.db;
    await endLayouts(sql, tenant);
    await untilMoved(sql, END_WAIT_MS);
  }

  async drain(): Promise<void> {
    while ((await readBacklog(this.#options.db.sql)).oldest !== null) {
      if (this.#options.moves === false) await this.#mover.moveOnce(true);
      else await new Promise((done) => setTimeout(done, 50));
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#switching.values()) clearTimeout(timer);
    for (const end of this.#ending) await end();
    await this.#inbox.close();
    await this.#mover.stop();
    await this.#writeCounts().catch(() => undefined);
  }
}
