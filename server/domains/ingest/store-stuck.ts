/** Rows that the event store refused although it works: how many, why, and another try. */
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';

type Sql = Database['sql'];

export type StuckCount = {
  readonly tenant: TenantId;
  /** The engine's error code. */
  readonly engineCode: number;
  readonly rows: number;
  readonly since: Date;
};

const LISTED_MAX = 1_000;

/** How many rows are set aside, by tenant and reason. */
export async function countStuck(sql: Sql): Promise<StuckCount[]> {
  return sql<StuckCount[]>`
    select tenant, reason as "engineCode", sum(rows)::float8 as rows, min(stuck_at) as since
    from inbox_stuck
    join inbox_layouts on inbox_layouts.id = inbox_stuck.layout
    group by tenant, reason
    order by tenant, reason
    limit ${LISTED_MAX}`;
}

export type StuckUnit = {
  readonly id: string;
  readonly tenant: TenantId;
  readonly table: string;
  /** Since 1970, of the receipt. */
  readonly day: number;
  readonly rows: number;
  readonly engineCode: number;
  readonly since: Date;
};

/** What is set aside, oldest first, without its bytes; at most 1,000. */
export async function listStuck(sql: Sql): Promise<StuckUnit[]> {
  return sql<StuckUnit[]>`
    select inbox_stuck.id::text as id, tenant, table_name as table, day, rows,
           reason as "engineCode", stuck_at as since
    from inbox_stuck
    join inbox_layouts on inbox_layouts.id = inbox_stuck.layout
    order by inbox_stuck.id
    limit ${LISTED_MAX}`;
}

export type StuckRows = StuckUnit & { readonly columns: readonly string[]; readonly body: Buffer };

/** Holds a unit for a try; `undefined` when it is gone, or another try holds it. */
export async function holdStuck(
  tx: postgres.TransactionSql,
  id: string,
): Promise<StuckRows | undefined> {
  const [held] = await tx<StuckRows[]>`
    select inbox_stuck.id::text as id, tenant, table_name as table, day, rows, columns, body,
           reason as "engineCode", stuck_at as since
    from inbox_stuck
    join inbox_layouts on inbox_layouts.id = inbox_stuck.layout
    where inbox_stuck.id = ${id}::bigint
    for update of inbox_stuck skip locked`;
  return held;
}

export async function forgetStuck(
  tx: postgres.TransactionSql,
  _permit: Permit<'inbox.retry'>,
  id: string,
): Promise<void> {
  await tx`delete from inbox_stuck where id = ${id}::bigint`;
}
