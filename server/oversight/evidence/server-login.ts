/**
 * PostgreSQL as the server itself meets it: its own login, and a service's context.
 *
 * The context is signed here once more, apart from the code that signs it for requests: were the
 * two to differ, no row would be found, and no proof would pass.
 */
import { createHmac } from 'node:crypto';
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';

const MINUTE_MS = 60_000;
/** Thrown to undo a transaction whose work was done. */
const UNDO = Symbol('undo');

/** A context for this tenant on this connection, as the database demands it. */
function contextOf(key: Buffer, tenant: TenantId, backend: number): string {
  const claim = `${tenant}|${backend}|${Math.floor(Date.now() / MINUTE_MS)}`;
  return `${claim}|${createHmac('sha256', key).update(claim).digest('hex')}`;
}

/** Runs `work` under a tenant's context, or under none, and takes back whatever it changed. */
export async function asServer<T>(
  { sql, contextKey }: Pick<Database, 'sql' | 'contextKey'>,
  tenant: TenantId | undefined,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  try {
    await sql.begin(async (tx) => {
      const [seen] = await tx<{ backend: number }[]>`select pg_backend_pid() as backend`;
      const context = tenant ? contextOf(contextKey, tenant, seen?.backend ?? 0) : '';
      await tx`select set_config('troth.context', ${context}, true)`;
      result = await work(tx);
      throw UNDO;
    });
  } catch (error) {
    if (error !== UNDO) throw error;
  }
  return result as T;
}
