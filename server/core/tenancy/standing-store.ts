/**
 * What stands in both engines for the purposes of services, and what is missing or too much.
 */
import type { Policy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import { type Events, PURPOSE_LOGINS } from '#platform/events';
import type { Statement } from './ddl.ts';
import { purposeRoleOf, schemaOf } from './naming.ts';
import { type Grant, mendGrants } from './purpose-grants.ts';
import { mendViews, type StandingView } from './purpose-views.ts';

type Placed<Row> = Row & { readonly schema: string };

/** The catalogues of both engines, as far as purposes are concerned. */
export type Standing = {
  readonly logins: readonly { tenant: string; purpose: string; login: number }[];
  readonly tables: readonly Placed<{ table: string }>[];
  readonly joined: ReadonlySet<string>;
  readonly grants: readonly Placed<Grant>[];
  readonly views: readonly StandingView[];
};

type Engines = { readonly db: Pick<Database, 'admin'>; readonly events: Pick<Events, 'query'> };

const readLogins = ({ db }: Engines, tenants: readonly TenantId[]) => db.admin<
  { tenant: string; purpose: string; login: number }[]
>`
  select tenant, purpose, login
  from troth.purpose_logins
  where tenant = any(${[...tenants]}::text[])
  order by login
  limit ${PURPOSE_LOGINS}`;

const readTables = ({ db }: Engines, schemas: string[]) => db.admin<Placed<{ table: string }>[]>`
  select nspname as schema, relname as table
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where nspname = any(${schemas}::text[]) and relkind in ('r', 'p')
  order by nspname, relname
  limit 1000000`;

const readJoined = ({ db }: Engines) => db.admin<{ role: string }[]>`
  select rolname as role
  from pg_roles
  where exists (
      select 1 from pg_auth_members
      where roleid = 'troth_purpose'::regrole and member = pg_roles.oid)
    and exists (
      select 1 from pg_auth_members
      where roleid = pg_roles.oid and member = 'troth_app'::regrole
        and set_option and not inherit_option)
  limit 1000000`;

const readGrants = ({ db }: Engines, schemas: string[], roles: string[]) => db.admin<
  Placed<Grant>[]
>`
  select schema, "table", rolname as role,
         string_agg(distinct privilege_type, ',' order by privilege_type) as rights
  from (
    select nspname as schema, '' as "table", acl.*
    from pg_namespace, aclexplode(nspacl) as acl
    union all
    select nspname, relname, acl.*
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace, aclexplode(relacl) as acl
  ) as granted
  join pg_roles on pg_roles.oid = grantee
  where schema = any(${schemas}::text[]) and rolname = any(${roles}::text[])
  group by schema, "table", rolname
  limit 1000000`;

const readViews = ({ events }: Engines) =>
  events.query<StandingView>(
    `select database, name as view, create_table_query as statement
     from system.tables
     where startsWith(database, 'purpose_') and engine = 'View'`,
  );

/** Reads the catalogues: five questions, however many services there are. */
export async function readStanding(
  engines: Engines,
  tenants: readonly TenantId[],
): Promise<Standing> {
  const schemas = tenants.map(schemaOf);
  const logins = await readLogins(engines, tenants);
  const roles = logins.map(({ tenant, purpose }) => purposeRoleOf(tenant as TenantId, purpose));
  const [tables, joined, grants, views] = await Promise.all([
    readTables(engines, schemas),
    readJoined(engines),
    readGrants(engines, schemas, roles),
    readViews(engines),
  ]);
  return { logins, tables, joined: new Set(joined.map(({ role }) => role)), grants, views };
}

/** Whether each declared purpose has a login; one that has none cannot be shown anything yet. */
export const lacksLogins = (tenant: TenantId, policy: Policy, { logins }: Standing): boolean => {
  const has = new Set(logins.filter((row) => row.tenant === tenant).map(({ purpose }) => purpose));
  return Object.keys(policy.compiled.purposes).some((purpose) => !has.has(purpose));
};

/** What turns that which stands into what this code makes of the policy; nothing, as a rule. */
export function mendPurposes(tenant: TenantId, policy: Policy, standing: Standing): Statement[] {
  const schema = schemaOf(tenant);
  const inSchema = <Row extends { schema: string }>(rows: readonly Row[]) =>
    rows.filter((row) => row.schema === schema);
  const tables = inSchema(standing.tables).map(({ table }) => table);
  const { joined } = standing;
  const logins = standing.logins.filter((row) => row.tenant === tenant);
  return [
    ...mendGrants(tenant, policy, tables, { joined, grants: inSchema(standing.grants) }),
    ...mendViews(
      tenant,
      policy,
      new Map(logins.map(({ purpose, login }) => [purpose, login])),
      standing.views,
    ),
  ];
}
