-- The one way to put a job into the queue: in the transaction of its cause, under any role.
-- The queue's own tables are in the schema troth_jobs, which graphile-worker migrates.
-- Owner: platform/jobs

create function troth_sec.enqueue(
  job text, input json, attempts integer, at timestamptz, key text
) returns bigint
language plpgsql security definer
set search_path = troth_sec, pg_catalog, pg_temp
as $$
begin
  return (troth_jobs.add_job(
    identifier => job, payload => input, max_attempts => attempts, run_at => at, job_key => key
  )).id;
end $$;

revoke all on function troth_sec.enqueue(text, json, integer, timestamptz, text) from public;
grant execute on function troth_sec.enqueue(text, json, integer, timestamptz, text)
  to troth_app, troth_purpose, troth_eraser, troth_sweeper;
