import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';

/** Any number; the second half of the lock is the tenant. */
const LOCK = 7_305;

/**
 * Runs `work` while nobody else moves rows between tables of this tenant: a row on its way from one
 * to another must not be missed by who counts or deletes in both. Waits for its turn; the lock ends
 * with the process or its connection.
 */
export async function withEventTables<T>(
  { sql }: Pick<Database, 'sql'>,
  tenant: TenantId,
  work: () => Promise<T>,
): Promise<T> {
  const held = await sql.reserve();
  try {
    await held`select pg_advisory_lock(${LOCK}, hashtext(${tenant}))`;
    try {
      return await work();
    } finally {
      await held`select pg_advisory_unlock(${LOCK}, hashtext(${tenant}))`.catch(() => undefined);
    }
  } finally {
    held.release();
  }
}
