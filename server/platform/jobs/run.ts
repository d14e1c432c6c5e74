import { setTimeout as wait } from 'node:timers/promises';
import { type Runner as QueueRunner, run, runOnce, type TaskList } from 'graphile-worker';
import type { Clock } from '#base/clock';
import { Word } from '#base/ids';
import { logThrown } from '#platform/database';
import { openPool } from './pool.ts';
import { mute, prepareJobs, SCHEMA } from './prepare.ts';
import { openPresence, type Presence, tendQueue } from './presence.ts';
import { scheduleOf } from './schedule.ts';
import { checkJobs, type Given, taskOf } from './task.ts';

const CONCURRENT_JOBS = 2;
/** For jobs with a time to come; a job that is due is announced by the database. */
const POLL_MS = 2_000;
const TEND_MS = 30_000;
const RESTART_MS = 1_000;
/** After this a running job's signal is given; a second later it is left behind. */
const STOP_SIGNAL_MS = 250;
const STOP_WITHIN_MS = 2_500;
const CLOSE_WITHIN_MS = 500;

export type Runner = {
  /** Lets running jobs end, at most two and a half seconds; what did not end is run again later. */
  stop(): Promise<void>;
};

type Timed = { clock: Clock };

/** A worker takes no job before it can be seen to be alive. */
const presencePlugin = (presence: Presence): GraphileConfig.Plugin => ({
  name: 'TrothPresencePlugin',
  version: '1.0.0',
  worker: {
    hooks: { startWorker: (_, { worker }) => presence.announce(worker.workerPool.id) },
  },
});

function open<Context extends Timed>(
  given: Given<Context>,
  stopping: AbortSignal,
  concurrency: number,
) {
  const { db, jobs } = given;
  checkJobs(jobs);
  // One connection waits for notices, one says that we are alive; the others fetch and finish jobs.
  const pgPool = openPool(db.appUrl, concurrency + 3);
  const presence = openPresence(pgPool);
  const tasks = jobs.map((job) => [job.name, taskOf(job, given, stopping)] as const);
  return {
    options: {
      pgPool,
      schema: SCHEMA,
      taskList: Object.fromEntries(tasks) as TaskList,
      parsedCronItems: scheduleOf(jobs),
      logger: mute,
      concurrency,
      pollInterval: POLL_MS,
      noHandleSignals: true,
      // Later than our own signal, so that a job ends in its task and not under it.
      gracefulShutdownAbortTimeout: STOP_WITHIN_MS - 500,
      // The engine is never asked what time it is.
      useNodeTime: true,
      preset: {
        plugins: [presencePlugin(presence)],
        // Without batches the queue does not wait for the end of a job to be written: a stop would
        // lose it, and a lost connection would be an unhandled rejection, which ends the process.
        worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 },
      },
    },
    presence,
    async close() {
      presence.close();
      await Promise.race([pgPool.end(), wait(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

const tend = <Context extends Timed>({ db, context, log }: Given<Context>) =>
  tendQueue(db.sql, { now: context.clock.now(), log });

/** Tends the queue until stopped. A failure is the database's; the next round tries again. */
async function tendUntil<Context extends Timed>(
  given: Given<Context>,
  stopped: AbortSignal,
): Promise<void> {
  while (!stopped.aborted) {
    await wait(TEND_MS, undefined, { signal: stopped, ref: false }).catch(() => undefined);
    if (stopped.aborted) return;
    await tend(given).catch((error: unknown) => {
      logThrown(given.log, Word('jobs.tend'), error);
    });
  }
}

/**
 * Prepares the queue and works on it until stopped. A runner that ends by itself, as one does that
 * lost the database in the middle of a job, is replaced.
 *
 * @param concurrency  jobs at a time, at least 1. Default 2.
 * @throws RangeError, TypeError for a job that is not declared as it must be.
 */
export async function runJobs<Context extends Timed>(
  given: Given<Context>,
  { concurrency = CONCURRENT_JOBS } = {},
): Promise<Runner> {
  const ending = new AbortController();
  const stopped = new AbortController();
  const { options, presence, close } = open(given, ending.signal, concurrency);
  let runner: QueueRunner | undefined;
  try {
    await prepareJobs(given.db);
    await tend(given);
    // The queue remembers an options object that it has seen, so each start gets its own.
    runner = await run({ ...options });
  } catch (error) {
    await close();
    throw error;
  }

  const supervise = async () => {
    for (let restarts = 1; ; restarts++) {
      await runner?.promise.catch(() => undefined);
      if (stopped.signal.aborted) return;
      await wait(RESTART_MS, undefined, { ref: false });
      if (stopped.signal.aborted) return;
      given.log('queue.restarted', { restarts });
      // The jobs whose end could not be written are still held under the old name.
      await presence.withdraw();
      await tend(given).catch(() => undefined);
      runner = await run({ ...options }).catch(() => undefined);
      if (stopped.signal.aborted) await runner?.stop().catch(() => undefined);
    }
  };
  void supervise();
  void tendUntil(given, stopped.signal);

  return {
    async stop() {
      if (stopped.signal.aborted) return;
      stopped.abort();
      const signal = setTimeout(() => ending.abort(), STOP_SIGNAL_MS);
      const late = wait(STOP_WITHIN_MS, undefined, { ref: false });
      await Promise.race([runner?.stop().catch(() => undefined), late]);
      clearTimeout(signal);
      await close();
    },
  };
}

/** Works until the queue is empty, then returns; for drills, tests and commands. */
export async function runJobsOnce<Context extends Timed>(given: Given<Context>): Promise<void> {
  const { options, close } = open(given, new AbortController().signal, 1);
  try {
    await prepareJobs(given.db);
    await tend(given);
    await runOnce(options);
  } finally {
    await close();
  }
}
