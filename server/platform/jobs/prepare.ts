import { Logger, makeWorkerUtils } from 'graphile-worker';
import type { Database } from '#platform/database';
import { openPool } from './pool.ts';

export const SCHEMA = 'troth_jobs';
/** Any fixed number: the queue's own migrations do not expect two starters. */
const PREPARE_LOCK = 7_076_004;

/** The queue's messages may name payloads; ours are in `lines.ts`. */
export const mute = new Logger(() => () => undefined);

/** Brings the queue's schema up to date and lets the server's login work on it. */
export async function prepareJobs({ admin, adminUrl }: Database): Promise<void> {
  const held = await admin.reserve();
  try {
    await held`select pg_advisory_lock(${PREPARE_LOCK})`;
    const pgPool = openPool(adminUrl, 2);
    try {
      const tools = await makeWorkerUtils({ pgPool, schema: SCHEMA, logger: mute });
      await tools.migrate();
      await tools.release();
    } finally {
      await pgPool.end();
    }
    await held.unsafe(`
      grant usage on schema ${SCHEMA} to troth_app;
      grant select, insert, update, delete on all tables in schema ${SCHEMA} to troth_app;
      grant usage on all sequences in schema ${SCHEMA} to troth_app;
      grant execute on all functions in schema ${SCHEMA} to troth_app;
      do $$
      declare
        closed regclass;
      begin
        -- The queue's tables have row security and no policy: open to their owner alone.
        for closed in select pg_class.oid from pg_class
                      where relnamespace = '${SCHEMA}'::regnamespace and relrowsecurity
                        and not exists (select 1 from pg_policy where polrelid = pg_class.oid) loop
          execute format('create policy worker on %s to troth_app using (true)', closed);
        end loop;
      end $$`);
  } finally {
    await held`select pg_advisory_unlock(${PREPARE_LOCK})`;
    held.release();
  }
}
