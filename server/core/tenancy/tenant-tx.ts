import { createHmac } from 'node:crypto';
import type postgres from 'postgres';
import type { PurposeId, TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import { tenancyProblem } from './errors.ts';
import { purposeRoleOf, schemaOf } from './naming.ts';

declare const tenantTx: unique symbol;

/** A transaction in one tenant's schema, under its signed context. Nothing else reads its rows. */
export type TenantTx = postgres.TransactionSql & {
  readonly [tenantTx]: true;
  readonly tenant: TenantId;
  /** Of the policy that was in force when the transaction began. */
  readonly revision: number;
  readonly now: Date;
};

export type TenantScope = {
  readonly tenant: TenantId;
  /** The declared purpose that rows are read for: narrows the grants to that purpose's. */
  readonly purpose?: PurposeId;
  /** For the two that may delete: an erasure, or a sweep by age. */
  readonly role?: 'troth_eraser' | 'troth_sweeper';
  readonly now: Date;
};

const MINUTE_MS = 60_000;

/** Bound to the connection and to the minute, so that a context read elsewhere is worth nothing. */
function signContext(key: Buffer, tenant: TenantId, backend: number): string {
  // The true time, not `now`: a drill with a moved clock must still be able to sign.
  const claim = `${tenant}|${backend}|${Math.floor(Date.now() / MINUTE_MS)}`;
  return `${claim}|${createHmac('sha256', key).update(claim).digest('hex')}`;
}

/**
 * Runs `work` in a transaction of one tenant; commits when it resolves, rolls back when it throws.
 *
 * @throws Problem tenant-unknown when no policy of that tenant is in force.
 */
export async function inTenant<T>(
  db: Pick<Database, 'sql' | 'contextKey'>,
  { tenant, purpose, role, now }: TenantScope,
  work: (tx: TenantTx) => Promise<T>,
): Promise<T> {
  const wanted = purpose ? purposeRoleOf(tenant, purpose) : (role ?? 'none');
  const result = await db.sql.begin(async (tx) => {
    const [seen] = await tx<{ backend: number; revision: number | null }[]>`
      select pg_backend_pid() as backend, (
        select revision from troth.policies where tenant = ${tenant} and in_force
      ) as revision`;
    if (!seen || seen.revision === null) {
      throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
    }
    const context = signContext(db.contextKey, tenant, seen.backend);
    await tx`
      select set_config('troth.context', ${context}, true),
             set_config('search_path', ${`${schemaOf(tenant)}, troth`}, true),
             set_config('role', ${wanted}, true)`;
    return work(Object.assign(tx, { tenant, revision: seen.revision, now }) as TenantTx);
  });
  return result as T;
}
