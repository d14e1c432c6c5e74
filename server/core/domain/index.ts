/**
 * The shape of a domain: what it owns, and what it hands to those who see all domains.
 *
 * Nothing below calls up. Whoever must reach every domain (erase a person everywhere, prove every
 * promise, mount every route) is given the list that `main.ts` makes, and imports none of them.
 */
import type { Hono } from 'hono';
import type { z } from 'zod';
import type { Clock } from '#base/clock';
import type { SubjectId } from '#base/ids';
import type { Policies } from '#core/policy';
import type { Control } from '#core/promises';
import type { TenantTx } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';

/** What a domain does with one person's records. */
export type PersonalData = {
  /** Everything held about the person, by table; sealed fields opened. */
  readonly export?: (tx: TenantTx, subject: SubjectId) => Promise<Record<string, unknown[]>>;
  /** Removes it; returns how many rows went, by table. Safe to run again. */
  readonly erase?: (tx: TenantTx, subject: SubjectId) => Promise<Record<string, number>>;
  readonly restrict?: (tx: TenantTx, subject: SubjectId, restricted: boolean) => Promise<void>;
};

export type Domain = {
  readonly name: string;
  /** The tables it owns; nobody else writes them. */
  readonly tables: readonly string[];
  readonly personalData: PersonalData;
  readonly controls: readonly Control[];
  readonly jobs: readonly Job[];
  /** Mounted by the HTTP edge. */
  // biome-ignore lint/suspicious/noExplicitAny: each domain declares what its routes need.
  readonly routes?: Hono<any>;
};

/** What a job may use. Time comes from the clock, never from the process. */
export type JobContext = {
  readonly db: Database;
  readonly events: Events;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the job's work when it takes too long or the server stops. */
  readonly signal: AbortSignal;
};

export type Job<Input = unknown> = {
  readonly name: string;
  /**
   * The data use that it works for, in Fideslang's words: a service's purpose of that use, or of
   * one that it is part of, is published as the reason why it runs there.
   */
  readonly use: string;
  readonly input: z.ZodType<Input>;
  readonly attemptsMax: number;
  readonly timeoutSeconds: number;
  /** Cron line in UTC, for a job that starts by itself; it gets `{}`. */
  readonly every?: string;
  run(input: Input, context: JobContext): Promise<void>;
};

/**
 * Declares a job. It may be run twice, and says in its comment why that is harmless; its loops are
 * bounded.
 */
export function defineJob<Input>(job: Job<Input>): Job<Input> {
  return Object.freeze(job);
}
