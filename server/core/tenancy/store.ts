import type postgres from 'postgres';
import { TenantId } from '#base/ids';
import { type Database, migrateSchema, readMigrations } from '#platform/database';
import { PURPOSE_LOGINS } from '#platform/events';
import type { Log } from '#platform/log';
import { tenancyProblem } from './errors.ts';
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
      on conflict (id) do update
      set created_at = excluded.created_at, removed_at = null
      where tenants.removed_at is not null
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

/** Every tenant that was not taken out, oldest first. At most 10,000. */
export async function listTenants(db: Pick<Database, 'sql'>): Promise<TenantId[]> {
  const rows = await db.sql<{ id: string }[]>`
    select id
    from troth.tenants
    where removed_at is null
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

/**
 * Gives each purpose of a service a login of the event store; one that has one keeps it.
 *
 * @returns all that the service has, also those of purposes that are no longer declared.
 * @throws Problem purposes-exhausted.
 */
export async function takeLogins(
  db: Pick<Database, 'admin'>,
  tenant: TenantId,
  purposes: readonly string[],
): Promise<Map<string, number>> {
  return db.admin.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${CREATION_LOCK})`;
    for (const purpose of purposes) {
      await tx`
        insert into troth.purpose_logins (tenant, purpose, login)
        select ${tenant}, ${purpose}, min(free)
        from generate_series(0, ${PURPOSE_LOGINS - 1}) as free
        where free not in (select login from troth.purpose_logins)
          and not exists (
            select 1 from troth.purpose_logins where tenant = ${tenant} and purpose = ${purpose})
        having min(free) is not null`;
    }
    const rows = await tx<{ purpose: string; login: number }[]>`
      select purpose, login
      from troth.purpose_logins
      where tenant = ${tenant}
      order by login
      limit ${PURPOSE_LOGINS}`;
    const taken = new Map(rows.map(({ purpose, login }) => [purpose, login]));
    if (purposes.some((purpose) => !taken.has(purpose)))
      throw tenancyProblem('purposes-exhausted', `at most ${PURPOSE_LOGINS} purposes in all`);
    return taken;
  });
}

/** The login that reads for a purpose; `undefined` where the purpose has none. */
export async function loginOf(
  db: Pick<Database, 'sql'>,
  tenant: TenantId,
  purpose: string,
): Promise<number | undefined> {
  const [row] = await db.sql<{ login: number }[]>`
    select login
    from troth.purpose_logins
    where tenant = ${tenant} and purpose = ${purpose}`;
  return row?.login;
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
