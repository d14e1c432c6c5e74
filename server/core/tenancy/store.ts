import type postgres from 'postgres';
import { TenantId } from '#base/ids';
import { type Database, migrateSchema, readMigrations } from '#platform/database';
import type { Log } from '#platform/log';
import { schemaOf } from './naming.ts';

/** Any fixed number: tenants are made one after the other, or their grants would collide. */
const CREATION_LOCK = 7_076_002;

const unprotectedTables = (sql: postgres.Sql, schema: string) => sql<{ name: string }[]>`
  select relname as name
  from pg_class
  where relnamespace = ${schema}::regnamespace
    and relkind in ('r', 'p')
    and not (relrowsecurity and relforcerowsecurity
             and exists (select 1 from pg_policy where polrelid = pg_class.oid))
  order by relname
  limit 1000`;

/**
 * Forces row security on every table of a tenant's schema. The one policy is for everybody (a
 * policy per role could be escaped by another role), and names the tenant: the context must say it.
 */
async function protectTables(admin: postgres.Sql, tenant: TenantId): Promise<void> {
  const schema = schemaOf(tenant);
  for (const { name } of await unprotectedTables(admin, schema)) {
    await admin.unsafe(`
      alter table ${schema}.${name} enable row level security, force row level security;
      drop policy if exists tenant_only on ${schema}.${name};
      create policy tenant_only on ${schema}.${name} to public
        using ((select troth_sec.tenant()) = '${tenant}')
        with check ((select troth_sec.tenant()) = '${tenant}')`);
  }
}

async function makeSchema(admin: postgres.Sql, tenant: TenantId, now: Date): Promise<void> {
  const schema = schemaOf(tenant);
  await admin.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${CREATION_LOCK})`;
    const made = await tx`
      insert into troth.tenants (id, schema, created_at)
      values (${tenant}, ${schema}, ${now})
      on conflict do nothing
      returning id`;
    if (made.length === 0) return;
    await tx.unsafe(`
      create schema if not exists ${schema};
      grant usage on schema ${schema} to troth_app, troth_eraser, troth_sweeper;
      alter default privileges in schema ${schema}
        grant select, insert, update, delete on tables to troth_app;
      alter default privileges in schema ${schema}
        grant select, delete on tables to troth_eraser, troth_sweeper;
      alter default privileges in schema ${schema}
        grant usage on sequences to troth_app, troth_purpose`);
  });
}

/** Makes a tenant's schema, or brings it up to date. Safe to run again, and from many servers. */
export async function createTenant(
  db: Pick<Database, 'admin'>,
  tenant: TenantId,
  { now, log }: { now: Date; log: Log },
): Promise<void> {
  await makeSchema(db.admin, tenant, now);
  const scope = { section: 'tenant', schema: schemaOf(tenant), log } as const;
  await migrateSchema(db.admin, scope, await readMigrations('tenant'));
  await protectTables(db.admin, tenant);
}

/** Every tenant, oldest first. At most 10,000. */
export async function listTenants(db: Pick<Database, 'sql'>): Promise<TenantId[]> {
  const rows = await db.sql<{ id: string }[]>`
    select id
    from troth.tenants
    order by created_at, id
    limit 10000`;
  return rows.map(({ id }) => TenantId(id));
}

/** The names of a tenant's tables. */
export async function tablesOf(db: Pick<Database, 'admin'>, tenant: TenantId): Promise<string[]> {
  const rows = await db.admin<{ name: string }[]>`
    select relname as name
    from pg_class
    where relnamespace = to_regnamespace(${schemaOf(tenant)}) and relkind in ('r', 'p')
    order by relname
    limit 1000`;
  return rows.map(({ name }) => name);
}

export type Tenancy = { list(): Promise<TenantId[]> };

/** Brings every tenant's schema up to date and hands out the list. Run once at start. */
export async function openTenancy(
  db: Database,
  { now, log }: { now: Date; log: Log },
): Promise<Tenancy> {
  for (const tenant of await listTenants(db)) await createTenant(db, tenant, { now, log });
  return { list: () => listTenants(db) };
}
