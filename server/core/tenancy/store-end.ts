/** What the engines hold of a service, counted; and the end of it. */
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import { archiveDatabaseOf, eventsDatabaseOf, purposeRoleOf, schemaOf } from './naming.ts';
import { tablesOf } from './store.ts';
import { inTenant } from './tenant-tx.ts';

/** Rows in one place of a store. */
export type Held = { readonly store: string; readonly place: string; readonly rows: number };

type Engines = { readonly db: Database; readonly events: Pick<Events, 'query' | 'command'> };

/** Something elsewhere in the cluster still names the role: then it stays, with no right at all. */
const IN_USE = '2BP01';

/** The rows of a service's own tables, in both engines. Its policy must be in force. */
export async function tenantHoldings(
  { db, events }: Engines,
  tenant: TenantId,
  now: Date,
): Promise<Held[]> {
  const names = await tablesOf(db, tenant);
  const tables = await inTenant(db, { tenant, role: 'troth_sweeper', now }, async (tx) => {
    const held: Held[] = [];
    for (const name of names) {
      const [row] = await tx<{ rows: number }[]>`select count(*)::float8 as rows from ${tx(name)}`;
      held.push({ store: 'postgresql', place: name, rows: row?.rows ?? 0 });
    }
    return held;
  });
  const rows = await events.query<{ place: string; rows: string | null }>(
    `select name as place, total_rows as rows from system.tables
     where database in ({databases:Array(String)}) order by name`,
    { databases: [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)] },
  );
  return [
    ...tables,
    ...rows.map(({ place, rows: count }) => ({
      store: 'clickhouse',
      place,
      rows: Number(count ?? 0),
    })),
  ];
}

/** Drops the event tables of a service, and what the logins of its purposes could see of them. */
async function dropEvents({ events }: Engines, tenant: TenantId): Promise<void> {
  const views = await events.query<{ database: string; name: string }>(
    `select database, name from system.tables
     where startsWith(database, 'purpose_')
       and (startsWith(name, {own:String}) or startsWith(name, {archive:String}))`,
    { own: `${eventsDatabaseOf(tenant)}__`, archive: `${archiveDatabaseOf(tenant)}__` },
  );
  for (const { database, name } of views) {
    await events.command(`drop view if exists \`${database}\`.\`${name}\` sync`);
  }
  for (const database of [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)]) {
    await events.command(`drop database if exists \`${database}\` sync`);
  }
}

/** Every purpose that the service ever declared. */
const purposesEver = (sql: postgres.Sql, tenant: TenantId) => sql<{ purpose: string }[]>`
  select distinct purpose
  from troth.policies, jsonb_object_keys(document -> 'purposes') as purpose
  where tenant = ${tenant}
  limit 10000`;

async function dropSchema({ db }: Engines, tenant: TenantId): Promise<void> {
  const schema = schemaOf(tenant);
  await db.admin.begin(async (tx) => {
    await tx.unsafe(`drop schema if exists ${schema} cascade`);
    await tx`delete from troth.migrations where section = 'tenant' and scope = ${schema}`;
  });
  for (const { purpose } of await purposesEver(db.admin, tenant)) {
    try {
      await db.admin.unsafe(`drop role if exists ${purposeRoleOf(tenant, purpose)}`);
    } catch (error) {
      if ((error as { code?: string }).code !== IN_USE) throw error;
    }
  }
}

/**
 * Drops everything that the engines hold for a service alone: tables, views, schema, roles. Safe to
 * repeat. Its policy must not be in force any longer, or its readers would fail.
 */
export async function dropTenant(engines: Engines, tenant: TenantId): Promise<void> {
  await dropEvents(engines, tenant);
  await dropSchema(engines, tenant);
}

/**
 * No start prepares anything for it any longer. Its row stays, for its revisions; a service of the
 * same name may be applied again.
 */
export async function markRemoved(tx: postgres.ISql, tenant: TenantId, now: Date): Promise<void> {
  await tx`update troth.tenants set removed_at = ${now} where id = ${tenant}`;
}
