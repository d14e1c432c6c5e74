/**
 * Evidence as it stands: runs the prover at start, on a schedule, after a change of policy and when
 * asked, puts what it found on record, and knows the last finding about every promise.
 */

import type postgres from 'postgres';
import type { Clock } from '#base/clock';
import { PromiseId, type TenantId, Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import { type Actor, authorize, type Policies } from '#core/policy';
import { gap, saw, term } from '#core/promises';
import { type Database, logThrown } from '#platform/database';
import type { Log } from '#platform/log';
import { type Change, readDays, readLastFound, recordFinding } from './findings-store.ts';
import type { DayFound, LastFound } from './model.ts';
import type { Wanted } from './outlook.ts';
import type { Finding } from './prover.ts';

export type EvidenceOptions = {
  readonly db: Database;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs proofs in a process of their own, which is ended, and says no more, with the signal. */
  readonly run: (wanted: Wanted, ending: AbortSignal) => AsyncIterable<Finding>;
  /** Milliseconds between the end of one round and the next; 0 for none by itself. */
  readonly everyMs: number;
  /** Tells the operator of what broke or holds again, in the transaction that records it. */
  readonly tell: (tx: postgres.TransactionSql, turned: Turned) => Promise<void>;
};

export type Turned = {
  readonly kind: 'promise.broken' | 'promise.restored';
  readonly finding: Finding;
  readonly promises: readonly string[];
  readonly at: Date;
};

export type Evidence = {
  last(tenant: string, promise: string): LastFound | undefined;
  /** Proves now; each finding is on record, or not kept, before it is handed out. */
  prove(wanted: Wanted): AsyncGenerator<Finding>;
  days(tenant: TenantId, from: Date): Promise<DayFound[]>;
  /** Begins the first round, and with it the schedule. Until then nothing runs by itself. */
  begin(): void;
  /** How the last round went; undefined before the first has ended. */
  lastRound(): Round | undefined;
  /** Ends a round in the middle: what its canaries left is removed after the next start. */
  close(): Promise<void>;
};

export type Round = { readonly endedAt: Date; readonly tookMs: number; readonly findings: number };

const PROVER: Actor = { kind: 'system', id: 'prover' as Actor['id'] };
const AFTER_CHANGE_MS = 1_000;

/** Opens the evidence: what the last findings were is known at once. */
export async function openEvidence(options: EvidenceOptions): Promise<Evidence> {
  const opened = new OpenEvidence(options);
  await opened.load();
  return opened;
}

class OpenEvidence implements Evidence {
  readonly #options: EvidenceOptions;
  readonly #last = new Map<string, LastFound>();
  readonly #ending: (() => void)[] = [];
  #round: Round | undefined;
  #working: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    for (const { tenant, ...found } of await readLastFound(this.#options.db.sql)) {
      this.#keep(tenant, found);
    }
    this.#ending.push(this.#options.policies.onEnd((tenant) => this.#forget(tenant)));
  }

  #forget(tenant: string): void {
    for (const name of this.#last.keys()) {
      if (name.startsWith(`${tenant} `)) this.#last.delete(name);
    }
  }

  begin(): void {
    const { policies, everyMs } = this.#options;
    if (everyMs <= 0) return;
    this.#ending.push(policies.onChange(() => this.#schedule(AFTER_CHANGE_MS)));
    this.#schedule(0);
  }

  #keep(tenant: string, found: LastFound): void {
    this.#last.set(`${tenant} ${found.promise}`, found);
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#working = this.#working.then(() => this.#runRound());
    }, inMs);
    this.#timer.unref();
  }

  async #runRound(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const began = performance.now();
    let findings = 0;
    try {
      for await (const _ of this.prove({})) findings++;
      if (this.#closing.signal.aborted) return;
      const tookMs = Math.round(performance.now() - began);
      this.#round = { endedAt: this.#options.clock.now(), tookMs, findings };
      this.#options.log('evidence.round', { findings, durationMs: tookMs });
    } catch (error) {
      // What was not found stays as old as it is, and turns into a gap by its age.
      logThrown(this.#options.log, Word('evidence.round'), error);
    }
    this.#schedule(this.#options.everyMs);
  }

  async *prove(wanted: Wanted): AsyncGenerator<Finding> {
    const { signal } = this.#closing;
    for await (const finding of this.#options.run(wanted, signal)) {
      // What a proof sees of a server that stops is about the stop.
      if (signal.aborted) return;
      yield await this.#stand(finding);
    }
  }

  /** The finding, on record. What is kept and cannot be recorded is a gap; the round goes on. */
  async #stand(finding: Finding): Promise<Finding> {
    try {
      await this.#record(finding);
      return finding;
    } catch (error) {
      logThrown(this.#options.log, Word('evidence.record'), error);
      const isKept = finding.state === 'kept';
      const unrecorded = isKept ? { ...finding, ...gap(saw`it could not be recorded`) } : finding;
      this.#remember(unrecorded, this.#options.clock.now());
      return unrecorded;
    }
  }

  async #record(finding: Finding): Promise<void> {
    const { db, policies, clock, log } = this.#options;
    const { tenant, state } = finding;
    const inForce = policies.find(tenant);
    if (!inForce) return;
    const now = clock.now();
    const changes = await db.sql.begin(async (tx) => {
      const made = await recordFinding(tx, { ...finding, at: now.toISOString() });
      const permit = authorize(inForce, PROVER, 'evidence.read');
      for (const { promise, before } of made) {
        await appendAudit(Object.assign(tx, { now }), permit, {
          event: `promise.found-${state}`,
          fields: { promise: term(promise), before: Word(before ?? 'unknown') },
        });
      }
      await this.#tell(tx, finding, made, now);
      return made;
    });
    this.#remember(finding, now);
    for (const { promise } of changes) {
      if (state === 'broken') log('promise.broken', { tenant, promise: PromiseId(promise) });
    }
  }

  async #tell(
    tx: postgres.TransactionSql,
    finding: Finding,
    changes: readonly Change[],
    at: Date,
  ): Promise<void> {
    const broke = finding.state === 'broken';
    const told = changes.filter(({ alarmed }) => alarmed !== broke);
    // A gap is no all-clear: what broke holds again when a proof has seen that it does.
    if (told.length === 0 || finding.state === 'gap') return;
    const kind = broke ? 'promise.broken' : 'promise.restored';
    const promises = told.map(({ promise }) => promise);
    await this.#options.tell(tx, { kind, finding, promises, at });
  }

  #remember(finding: Finding, now: Date): void {
    const { tenant, revision, state, saw, control, strength, blindTo, tookMs } = finding;
    for (const promise of finding.promises) {
      const before = this.#last.get(`${tenant} ${promise}`);
      const since = before?.state === state ? before.since : now;
      const found = { promise, revision, state, saw, control, strength, blindTo, tookMs };
      this.#keep(tenant, { ...found, foundAt: now, since });
    }
  }

  last(tenant: string, promise: string): LastFound | undefined {
    return this.#last.get(`${tenant} ${promise}`);
  }

  days(tenant: TenantId, from: Date): Promise<DayFound[]> {
    return readDays(this.#options.db.sql, tenant, from);
  }

  lastRound(): Round | undefined {
    return this.#round;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    for (const end of this.#ending) end();
    await this.#working;
  }
}
