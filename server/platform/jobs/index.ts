/**
 * Background work: a queue in PostgreSQL, so that a job and its cause are one transaction.
 *
 * A job that fails is tried again, later each time, until its attempts are used up. What it threw
 * is not stored: an error's message may quote a person. When a worker dies, its jobs are run again
 * at once; so a job bears to be run twice. Each kind of job leaves a heartbeat, for proofs to read.
 *
 * The queue goes by the time of the process, never by that of the engine; an input holds ids only,
 * since a waiting job is a copy of it.
 */
export { enqueue, type JobOptions } from './enqueue.ts';
export { type Heartbeat, type JobOutcome, readHeartbeats } from './heartbeats.ts';
export { countJobsNaming, dropJobsNaming } from './naming.ts';
export { prepareJobs } from './prepare.ts';
export { type Runner, runJobs, runJobsOnce } from './run.ts';
export type { QueuedJob } from './task.ts';
