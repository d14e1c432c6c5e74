/**
 * Background work: a queue in PostgreSQL, so that a job and its cause are one transaction.
 *
 * A job that fails is tried again, later each time, until its attempts are used up. What it threw is
 * not stored: an error's message may quote a person.
 */
export { enqueue, type JobOptions } from './enqueue.ts';
export { prepareJobs } from './prepare.ts';
export { type QueuedJob, type Runner, runJobs, runJobsOnce } from './run.ts';
