import type postgres from 'postgres';

/** `abandoned`: failed with no attempt left. `lost`: its worker died while it ran. */
export type JobOutcome = 'done' | 'failed' | 'abandoned' | 'lost';

export type Heartbeat = {
  readonly job: string;
  readonly lastStarted: Date;
  /** Earlier than `lastStarted` while the job runs. */
  readonly lastFinished: Date | null;
  readonly lastOutcome: JobOutcome | null;
  /** The last time it did what it is there for. */
  readonly lastDone: Date | null;
};

const HEARTBEATS_MAX = 1_000;

/** When each kind of job last ran, and how that ended. A job that never ran has no row. */
export async function readHeartbeats(sql: postgres.ISql): Promise<Heartbeat[]> {
  return sql<Heartbeat[]>`
    select job, last_started as "lastStarted", last_finished as "lastFinished",
           last_outcome as "lastOutcome", last_done as "lastDone"
    from troth.job_heartbeats
    order by job
    limit ${HEARTBEATS_MAX}`;
}

export async function noteStart(sql: postgres.ISql, job: string, now: Date): Promise<void> {
  await sql`
    insert into troth.job_heartbeats (job, last_started)
    values (${job}, ${now})
    on conflict (job) do update set last_started = excluded.last_started`;
}

export async function noteEnd(
  sql: postgres.ISql,
  job: string,
  { outcome, now }: { outcome: JobOutcome; now: Date },
): Promise<void> {
  await sql`
    update troth.job_heartbeats
    set last_finished = ${now},
        last_outcome = ${outcome},
        last_done = case when ${outcome} = 'done' then ${now}::timestamptz else last_done end
    where job = ${job}`;
}
