/** Write keys, switches and counters in PostgreSQL: one function per question. */

import type postgres from 'postgres';
import type { KeyId, TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import type { Counted } from './drops.ts';
import type { Enrichment } from './plan.ts';
import { makeWriteKey, type WriteKey } from './write-keys.ts';

type Sql = Database['sql'];

export const KEYS_CHANNEL = 'troth_write_keys';
const KEYS_MAX = 10_000;
export const SWITCHES_CHANNEL = 'troth_enrichments';

export type NewWriteKey = {
  readonly scopes?: readonly string[];
  /** Origins that a browser may send from; `*` for any; none for a key of servers. */
  readonly origins?: readonly string[];
  /** Which application it is for; none for the keys that a start makes for itself. */
  readonly application?: string;
  readonly now: Date;
};

/** Makes a key. Its text is in the answer and nowhere else. */
export async function issueWriteKey(
  sql: Sql | postgres.TransactionSql,
  permit: Permit<'write-key.issue'>,
  { scopes = ['ingest', 'consent'], origins, application, now }: NewWriteKey,
): Promise<{ id: KeyId; text: string }> {
  const { text, id, hash } = makeWriteKey();
  await sql`
    insert into write_keys (id, tenant, hash, scopes, origins, application, created_at)
    values (${id}, ${permit.tenant}, ${hash}, ${[...scopes]}, ${origins ? [...origins] : null},
            ${application ?? null}, ${now})`;
  // A browser asks before it shows its key: every server has to know by then which origins may.
  await sql`select pg_notify(${KEYS_CHANNEL}, ${id})`;
  return { id, text };
}

/** A revoked key is refused by every server within a second, and never works again. */
export async function revokeWriteKey(
  sql: Sql | postgres.TransactionSql,
  permit: Permit<'write-key.revoke'>,
  id: KeyId,
  now: Date,
): Promise<boolean> {
  const revoked = await sql`
    update write_keys set revoked_at = ${now}
    where id = ${id} and tenant = ${permit.tenant} and revoked_at is null
    returning id`;
  await sql`select pg_notify(${KEYS_CHANNEL}, ${id})`;
  return revoked.length > 0;
}

/** Revokes every key of a service, in the transaction that takes it out. @returns how many. */
export async function revokeWriteKeys(
  tx: postgres.TransactionSql,
  { tenant }: Permit<'service.remove'>,
  now: Date,
): Promise<number> {
  const revoked = await tx`
    update troth.write_keys set revoked_at = ${now}
    where tenant = ${tenant} and revoked_at is null
    returning pg_notify(${KEYS_CHANNEL}, id)`;
  return revoked.length;
}

export type ListedKey = Pick<WriteKey, 'id' | 'scopes' | 'origins'> & {
  /** Null of those that a start made for itself, and keeps in `development.json`. */
  readonly application: string | null;
  readonly createdAt: Date;
};

/** The living keys of a tenant, oldest first: of applications, and those that a start made. */
export const listWriteKeys = (sql: Sql, tenant: TenantId): Promise<ListedKey[]> => sql<ListedKey[]>`
  select id, application, scopes, origins, created_at as "createdAt"
  from write_keys
  where tenant = ${tenant} and revoked_at is null
  order by created_at, id
  limit ${KEYS_MAX}`;

export async function readWriteKey(sql: Sql, id: string): Promise<WriteKey | undefined> {
  const [key] = await sql<WriteKey[]>`
    select id, tenant, hash, scopes, origins, revoked_at is not null as revoked
    from write_keys
    where id = ${id}
    limit 1`;
  return key;
}

export async function readWriteKeys(sql: Sql): Promise<WriteKey[]> {
  return sql<WriteKey[]>`
    select id, tenant, hash, scopes, origins, revoked_at is not null as revoked
    from write_keys
    where revoked_at is null
    order by created_at desc
    limit ${KEYS_MAX}`;
}

export type Switches = Partial<Record<Enrichment, boolean>>;

/** How the switches stand, and when the first of them goes back by itself. */
export async function readSwitches(
  sql: Sql,
  tenant: TenantId,
  now: Date,
): Promise<{ readonly switches: Switches; readonly until: Date | undefined }> {
  const rows = await sql<{ enrichment: Enrichment; enabled: boolean | null; until: Date | null }[]>`
    select enrichment,
           case when meanwhile_until > ${now} then meanwhile else enabled end as enabled,
           case when meanwhile_until > ${now} then meanwhile_until end as until
    from enrichment_switches
    where tenant = ${tenant}
    order by meanwhile_until
    limit 100`;
  const set = rows.flatMap(({ enrichment, enabled }) =>
    enabled === null ? [] : [[enrichment, enabled]],
  );
  const until = rows.find((row) => row.until !== null)?.until ?? undefined;
  return { switches: Object.fromEntries(set) as Switches, until };
}

/** @param until  when it goes back to what was set for good; undefined: it is set for good. */
export async function writeSwitch(
  tx: postgres.TransactionSql,
  { tenant }: Permit<'enrichment.switch'>,
  { enrichment, enabled, until, now }: Switched,
): Promise<void> {
  if (until === undefined) {
    await tx`
      insert into enrichment_switches (tenant, enrichment, enabled, changed_at)
      values (${tenant}, ${enrichment}, ${enabled}, ${now})
      on conflict (tenant, enrichment) do update
      set enabled = excluded.enabled, meanwhile = null, meanwhile_until = null,
          changed_at = excluded.changed_at`;
  } else {
    await tx`
      insert into enrichment_switches (tenant, enrichment, meanwhile, meanwhile_until, changed_at)
      values (${tenant}, ${enrichment}, ${enabled}, ${until}, ${now})
      on conflict (tenant, enrichment) do update
      set meanwhile = excluded.meanwhile, meanwhile_until = excluded.meanwhile_until,
          changed_at = excluded.changed_at`;
  }
  await tx`select pg_notify(${SWITCHES_CHANNEL}, ${tenant})`;
}

type Switched = {
  readonly enrichment: Enrichment;
  readonly enabled: boolean;
  readonly until: Date | undefined;
  readonly now: Date;
};

/** Adds what was counted since the last time; numbers, never events. */
export async function addCounts(
  sql: Sql,
  tenant: string,
  day: string,
  counted: readonly Counted[],
): Promise<void> {
  await sql`
    insert into ingest_counts (tenant, day, type, reason, count)
    select ${tenant}, ${day}::date, type, reason, count
    from unnest(${counted.map(({ type }) => type)}::text[],
                ${counted.map(({ reason }) => reason)}::text[],
                ${counted.map(({ count }) => count)}::bigint[]) as added (type, reason, count)
    on conflict (tenant, day, type, reason) do update
    set count = ingest_counts.count + excluded.count`;
}

export async function readCounts(sql: Sql, tenant: TenantId, since: string): Promise<Counted[]> {
  return sql<Counted[]>`
    select type, reason, sum(count)::float8 as count
    from ingest_counts
    where tenant = ${tenant} and day >= ${since}::date
    group by type, reason
    order by type, reason
    limit 5000`;
}

/** Forgets what was counted on days before. @returns how many figures went. */
export async function forgetCounts(sql: Sql, before: Date): Promise<number> {
  const { count } = await sql`
    delete from ingest_counts
    where day < ${before}::date`;
  return count;
}
