import type { Database } from '#platform/database';

/** Any number that nothing else locks. */
const LOCK = 7_305_418;

/** Runs `work` if no other server is at it; the lock ends with the process or its connection. */
export async function withWalkersLock(
  { sql }: Pick<Database, 'sql'>,
  work: () => Promise<void>,
): Promise<void> {
  const held = await sql.reserve();
  try {
    const [lock] = await held<{ got: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as got`;
    if (!lock?.got) return;
    try {
      await work();
    } finally {
      await held`select pg_advisory_unlock(${LOCK})`.catch(() => undefined);
    }
  } finally {
    held.release();
  }
}
