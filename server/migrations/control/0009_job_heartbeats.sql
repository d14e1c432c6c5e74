-- Job heartbeats: one row for each kind of job, so that a job that is scheduled nowhere, hangs or
-- keeps failing is seen. A job whose last_started is later than its last_finished is running, or
-- was cut off. Times are those of the clock that the worker was handed.
-- Owner: platform/jobs

create table troth.job_heartbeats (
  job           text        primary key check (job ~ '^[a-z][a-z0-9.-]{0,79}$'),
  last_started  timestamptz not null,
  last_finished timestamptz,
  -- 'abandoned': failed with no attempt left. 'lost': its worker died while it ran.
  last_outcome  text        check (last_outcome in ('done', 'failed', 'abandoned', 'lost')),
  last_done     timestamptz
);

revoke delete, truncate on troth.job_heartbeats from troth_app;
revoke insert, select on troth.job_heartbeats from troth_purpose;

-- No index beside the key: there are as many rows as there are kinds of jobs.
