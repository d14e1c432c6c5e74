import type postgres from 'postgres';
import type { z } from 'zod';
import type { Clock } from '#base/clock';
import { Word } from '#base/ids';
import type { Database } from '#platform/database';
import { framesOf, type Log } from '#platform/log';
import { noteEnd, noteStart } from './heartbeats.ts';
import { SCHEMA } from './prepare.ts';

/** What a job has to end in after its signal, before it is left behind. */
const GRACE_MS = 1_000;
const ATTEMPTS_MAX = 25;
/** The queue's own lock on a job lasts four hours. */
const TIMEOUT_SECONDS_MAX = 3 * 3_600;

/** A job as the queue sees it; `core/domain` declares what its context is. */
export type QueuedJob<Context> = {
  readonly name: string;
  readonly input: z.ZodType<unknown>;
  readonly attemptsMax: number;
  readonly timeoutSeconds: number;
  readonly every?: string;
  run(input: never, context: Context & { signal: AbortSignal }): Promise<void>;
};

export type Given<Context> = {
  readonly db: Database;
  readonly jobs: readonly QueuedJob<Context>[];
  readonly context: Context;
  readonly log: Log;
};

type Row = { id: string; attempts: number };

/** @throws RangeError, TypeError for a job that is not declared as it must be. */
export function checkJobs(jobs: readonly QueuedJob<never>[]): void {
  const names = new Set<string>();
  for (const { name, attemptsMax, timeoutSeconds } of jobs) {
    if (!/^[a-z][a-z-]*\.[a-z][a-z0-9-]*$/.test(name)) {
      throw new TypeError(`${name}: a job is named domain.verb-noun`);
    }
    if (names.has(name)) throw new TypeError(`${name} is declared twice`);
    names.add(name);
    const within = (value: number, max: number) => value >= 1 && value <= max;
    if (!Number.isInteger(attemptsMax) || !within(attemptsMax, ATTEMPTS_MAX)) {
      throw new RangeError(`${name}: attemptsMax is 1 to ${ATTEMPTS_MAX}`);
    }
    if (!within(timeoutSeconds, TIMEOUT_SECONDS_MAX)) {
      throw new RangeError(`${name}: timeoutSeconds is 1 to ${TIMEOUT_SECONDS_MAX}`);
    }
  }
}

/** Waits for the work, and after the signal a little longer; a job that was cut off is not done. */
async function within(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const late = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    timer = setTimeout(late.resolve, GRACE_MS);
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([work, late.promise]);
    signal.throwIfAborted();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** A job that starts by itself gets its schedule under `_cron`, which no job declares. */
function withoutCron(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return payload;
  const { _cron, ...rest } = payload;
  return rest;
}

/** A server that stops is not the job's fault: the attempt is handed back. */
const handBack = (sql: postgres.Sql, { id }: Row) =>
  sql`
    update ${sql(SCHEMA)}._private_jobs
    set attempts = greatest(attempts - 1, 0)
    where id = ${id}::bigint`;

/** What the queue calls for one attempt at a job. @param stopping  ends it early. */
export function taskOf<Context extends { clock: Clock }>(
  job: QueuedJob<Context>,
  { db, context, log }: Given<Context>,
  stopping: AbortSignal,
) {
  const name = Word(job.name);
  const { clock } = context;
  return async (payload: unknown, { job: row }: { job: Row }): Promise<void> => {
    const began = performance.now();
    const attempt = row.attempts;
    const signal = AbortSignal.any([AbortSignal.timeout(job.timeoutSeconds * 1_000), stopping]);
    try {
      await noteStart(db.sql, job.name, clock.now());
      const input = job.input.parse(withoutCron(payload));
      await within(job.run(input as never, { ...context, signal }), signal);
      await noteEnd(db.sql, job.name, { outcome: 'done', now: clock.now() });
    } catch (error) {
      log('job.failed', { job: name, attempt, frames: framesOf(error) });
      const last = attempt >= job.attemptsMax && !stopping.aborted;
      if (last) log('job.abandoned', { job: name, attempt });
      // With the database away neither can be written; the next attempt begins with a heartbeat.
      const outcome = last ? 'abandoned' : 'failed';
      await noteEnd(db.sql, job.name, { outcome, now: clock.now() }).catch(() => undefined);
      if (stopping.aborted) await handBack(db.sql, row).catch(() => undefined);
      // The queue stores the message of what is thrown, so it must say nothing.
      throw new Error(`${job.name} failed`);
    }
    log('job.done', { job: name, durationMs: Math.round(performance.now() - began) });
  };
}
