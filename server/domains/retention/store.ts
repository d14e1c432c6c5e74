/** What was swept, and what customers chose: one function per question. */
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import type { Choice } from './limits.ts';

type Sql = Database['sql'] | postgres.TransactionSql;

export const CHOICES_CHANNEL = 'troth_retention';

export type Tier = 'active' | 'archive' | 'moved';

export type Sweep = {
  readonly dataType: string;
  readonly tier: Tier;
  readonly sweptAt: Date;
  readonly cutoff: Date;
  readonly limitMs: number;
  readonly rows: number;
  /** Receipt of the oldest row that was left. */
  readonly oldest: Date | null;
};

export async function writeSweeps(
  sql: Sql,
  { tenant }: Permit<'data.sweep'>,
  sweeps: readonly Sweep[],
): Promise<void> {
  if (sweeps.length === 0) return;
  const rows = sweeps.map(({ dataType, tier, sweptAt, cutoff, limitMs, rows: count, oldest }) => ({
    tenant,
    data_type: dataType,
    tier,
    swept_at: sweptAt,
    cutoff,
    limit_ms: Math.round(limitMs),
    rows: count,
    oldest,
  }));
  await sql`insert into sweeps ${(sql as Database['sql'])(rows as never[])}`;
}

/** The latest sweep of each type and tier. */
export async function readLatest(sql: Sql, tenant: TenantId): Promise<Sweep[]> {
  return sql<Sweep[]>`
    select distinct on (data_type, tier)
           data_type as "dataType", tier, swept_at as "sweptAt", cutoff,
           limit_ms::float8 as "limitMs", rows::float8 as rows, oldest
    from sweeps
    where tenant = ${tenant}
    order by data_type, tier, swept_at desc
    limit 3000`;
}

/** What was swept, newest first. */
export async function readSweeps(sql: Sql, tenant: TenantId, limit: number): Promise<Sweep[]> {
  return sql<Sweep[]>`
    select data_type as "dataType", tier, swept_at as "sweptAt", cutoff,
           limit_ms::float8 as "limitMs", rows::float8 as rows, oldest
    from sweeps
    where tenant = ${tenant}
    order by swept_at desc, id desc
    limit ${limit}`;
}

export async function forgetSweeps(sql: Sql, before: Date): Promise<number> {
  const { count } = await sql`delete from sweeps where swept_at < ${before}`;
  return count;
}

export async function readChoices(sql: Sql): Promise<(Choice & { tenant: TenantId })[]> {
  return sql<(Choice & { tenant: TenantId })[]>`
    select tenant, data_type as "dataType", region, choice, limit_ms::float8 as "limitMs"
    from retention_choices
    limit 100000`;
}

export async function writeChoice(
  tx: Sql,
  { tenant }: Permit<'retention.choose'>,
  { dataType, region, choice, limitMs }: Choice,
  now: Date,
): Promise<void> {
  await tx`
    insert into retention_choices (tenant, data_type, region, choice, limit_ms, chosen_at)
    values (${tenant}, ${dataType}, ${region}, ${choice}, ${Math.round(limitMs)}, ${now})
    on conflict (tenant, data_type, region) do update
    set choice = excluded.choice, limit_ms = excluded.limit_ms, chosen_at = excluded.chosen_at`;
  await tx`select pg_notify(${CHOICES_CHANNEL}, ${tenant})`;
}

export async function dropChoice(
  tx: Sql,
  { tenant }: Permit<'retention.choose'>,
  { dataType, region }: Pick<Choice, 'dataType' | 'region'>,
): Promise<void> {
  await tx`
    delete from retention_choices
    where tenant = ${tenant} and data_type = ${dataType} and region = ${region}`;
  await tx`select pg_notify(${CHOICES_CHANNEL}, ${tenant})`;
}
