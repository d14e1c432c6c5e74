/**
 * Who is alive. The queue itself would keep the jobs of a dead worker locked for four hours; here
 * a worker holds an advisory lock on its own name for as long as its connection lives, and whoever
 * can take that lock knows that its holder is gone.
 */
import type { Pool, PoolClient } from 'pg';
import type postgres from 'postgres';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { noteEnd } from './heartbeats.ts';
import { SCHEMA } from './prepare.ts';

/** Any fixed number: keeps these locks apart from others that hash a text. */
const NAMES = 7_076_009;
const RECONNECT_MS = 500;
const FAILED_KEPT_DAYS = 7;

export type Presence = {
  /** Resolves when the whole server can see that `worker` is alive. */
  announce(worker: string): Promise<void>;
  /** Takes back every name: what is still held under one is anybody's to run. */
  withdraw(): Promise<void>;
  close(): void;
};

/** @param pool  one of its connections is held until `close`. */
export function openPresence(pool: Pool): Presence {
  const names = new Set<string>();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let connecting: Promise<PoolClient> | undefined;
  let held: PoolClient | undefined;

  const lock = (client: PoolClient, worker: string) =>
    client.query('select pg_advisory_lock(hashtextextended($1, $2))', [worker, NAMES]);

  async function connect(): Promise<PoolClient> {
    const client = await pool.connect();
    client.once('error', () => drop(client));
    held = client;
    try {
      for (const worker of names) await lock(client, worker);
    } catch (error) {
      drop(client);
      throw error;
    }
    return client;
  }

  // While it is unseen, another server may run its jobs a second time, which a job has to bear.
  function drop(client: PoolClient): void {
    if (held !== client) return;
    held = undefined;
    connecting = undefined;
    client.release(true);
    if (!closed) timer = setTimeout(() => void hold().catch(again), RECONNECT_MS).unref();
  }

  function again(): void {
    connecting = undefined;
    if (!closed && !held) timer = setTimeout(() => void hold().catch(again), RECONNECT_MS).unref();
  }

  function hold(): Promise<PoolClient> {
    connecting ??= connect();
    return connecting;
  }

  return {
    async announce(worker) {
      if (names.has(worker)) return;
      const client = await hold();
      try {
        await lock(client, worker);
      } catch (error) {
        drop(client);
        throw error;
      }
      names.add(worker);
    },
    async withdraw() {
      names.clear();
      const client = held;
      await client?.query('select pg_advisory_unlock_all()').catch(() => drop(client));
    },
    close() {
      closed = true;
      clearTimeout(timer);
      if (held) drop(held);
    },
  };
}

type Lost = { worker: string };
type LostJob = { name: string; attempts: number; attemptsMax: number };

/**
 * Frees what dead workers held, so that it is run again at once, and forgets what failed for good
 * more than seven days ago. Safe to run from any number of servers at once.
 */
export async function tendQueue(
  sql: postgres.Sql,
  { now, log }: { now: Date; log: Log },
): Promise<void> {
  await sql.begin(async (tx) => {
    const queue = tx(SCHEMA);
    const lost = await tx<Lost[]>`
      with holders as materialized (
        select locked_by as worker from ${queue}._private_jobs where locked_by is not null
        union
        select locked_by from ${queue}._private_job_queues where locked_by is not null
      )
      select worker
      from holders
      where pg_try_advisory_xact_lock(hashtextextended(worker, ${NAMES}))`;
    if (lost.length === 0) return;
    const workers = lost.map(({ worker }) => worker);
    const jobs = await tx<LostJob[]>`
      select tasks.identifier as name, jobs.attempts, jobs.max_attempts as "attemptsMax"
      from ${queue}._private_jobs as jobs
      join ${queue}._private_tasks as tasks on tasks.id = jobs.task_id
      where jobs.locked_by = any(${workers})`;
    await tx`select ${queue}.force_unlock_workers(${workers})`;
    for (const { name, attempts, attemptsMax } of jobs) {
      log('job.lost', { job: Word(name), attempt: attempts });
      if (attempts >= attemptsMax) log('job.abandoned', { job: Word(name), attempt: attempts });
      await noteEnd(tx, name, { outcome: 'lost', now });
    }
  });
  const before = new Date(now.getTime() - FAILED_KEPT_DAYS * 86_400_000);
  await sql`
    delete from ${sql(SCHEMA)}._private_jobs
    where attempts >= max_attempts and locked_at is null and updated_at < ${before}`;
}
