import { parseCronItems, run, runOnce, type TaskList } from 'graphile-worker';
import { Pool } from 'pg';
import type { z } from 'zod';
import { Word } from '#base/ids';
import type { Database } from '#platform/database';
import { framesOf, type Log } from '#platform/log';
import { mute, prepareJobs, SCHEMA } from './prepare.ts';

const CONCURRENT_JOBS = 2;
const POLL_MS = 2_000;
const STOP_WITHIN_MS = 10_000;

/** A job as the queue sees it; `core/domain` declares what its context is. */
export type QueuedJob<Context> = {
  readonly name: string;
  readonly input: z.ZodType<unknown>;
  readonly attemptsMax: number;
  readonly timeoutSeconds: number;
  readonly every?: string;
  run(input: never, context: Context & { signal: AbortSignal }): Promise<void>;
};

export type Runner = {
  /** Lets running jobs end, at most ten seconds; what did not end is run again later. */
  stop(): Promise<void>;
};

type Given<Context> = {
  readonly db: Database;
  readonly jobs: readonly QueuedJob<Context>[];
  readonly context: Context;
  readonly log: Log;
};

async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const end = () => late.reject(new Error('the job took longer than it may'));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function taskOf<Context>(job: QueuedJob<Context>, { context, log }: Given<Context>) {
  const name = Word(job.name);
  return async (payload: unknown, { job: row }: { job: { attempts: number } }) => {
    const began = performance.now();
    const signal = AbortSignal.timeout(job.timeoutSeconds * 1_000);
    try {
      const input = job.input.parse(withoutCron(payload));
      await within(job.run(input as never, { ...context, signal }), signal);
    } catch (error) {
      log('job.failed', { job: name, attempt: row.attempts, frames: framesOf(error) });
      if (row.attempts >= job.attemptsMax) log('job.abandoned', { job: name, attempt: row.attempts });
      // The queue stores the message of what is thrown, so it must say nothing.
      throw new Error(`${job.name} failed`);
    }
    log('job.done', { job: name, durationMs: Math.round(performance.now() - began) });
  };
}

/** A job that starts by itself gets its schedule under `_cron`, which no job declares. */
function withoutCron(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return payload;
  const { _cron, ...rest } = payload;
  return rest;
}

function optionsOf<Context>(given: Given<Context>) {
  const { db, jobs } = given;
  const taskList: TaskList = Object.fromEntries(jobs.map((job) => [job.name, taskOf(job, given)]));
  const scheduled = jobs.flatMap(({ name, every, attemptsMax }) =>
    every === undefined ? [] : [{ task: name, match: every, options: { maxAttempts: attemptsMax } }],
  );
  // One connection waits for notices; the others fetch and finish jobs.
  const pgPool = new Pool({ connectionString: db.appUrl, max: CONCURRENT_JOBS + 2 });
  // A lost connection is met by the next query; without a listener it would end the process.
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  return {
    options: {
      pgPool,
      schema: SCHEMA,
      taskList,
      parsedCronItems: parseCronItems(scheduled),
      logger: mute,
      concurrency: CONCURRENT_JOBS,
      pollInterval: POLL_MS,
      noHandleSignals: true,
      // The engine is never asked what time it is.
      useNodeTime: true,
    },
    pgPool,
  };
}

/** Prepares the queue and works on it until stopped. */
export async function runJobs<Context>(given: Given<Context>): Promise<Runner> {
  await prepareJobs(given.db);
  const { options, pgPool } = optionsOf(given);
  const runner = await run(options);
  // A runner that ends by itself (a lost database) rejects here; the pool has the next try.
  runner.promise.catch(() => undefined);
  return {
    async stop() {
      const late = new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
      await Promise.race([runner.stop().catch(() => undefined), late]);
      await pgPool.end();
    },
  };
}

/** Works until the queue is empty, then returns; for drills, tests and commands. */
export async function runJobsOnce<Context>(given: Given<Context>): Promise<void> {
  await prepareJobs(given.db);
  const { options, pgPool } = optionsOf(given);
  try {
    await runOnce(options);
  } finally {
    await pgPool.end();
  }
}
