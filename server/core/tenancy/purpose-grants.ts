/**
 * What the role of a purpose may do in PostgreSQL: read and write the tables of the data that is
 * declared for it, and no other.
 */
import type { Policy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import type { Statement } from './ddl.ts';
import { purposeRoleOf, schemaOf } from './naming.ts';

/** What a purpose's role holds in its service's schema; on the schema itself, `table` is empty. */
export type Grant = { readonly role: string; readonly table: string; readonly rights: string };

/** As PostgreSQL's catalogue names them, in the order of the alphabet. */
const ON_SCHEMA = 'USAGE';
const ON_TABLE = 'INSERT,SELECT,UPDATE';

const postgres = (statement: string): Statement => ({ engine: 'postgres', statement });

/** Roles belong to the whole server, so two revisions that are applied at once may collide. */
const makeRole = (role: string) =>
  postgres(`do $$ begin
  if not exists (select 1 from pg_roles where rolname = '${role}') then
    create role ${role} nologin;
  end if;
  grant troth_purpose to ${role};
  grant ${role} to troth_app with inherit false, set true;
exception when duplicate_object or unique_violation then null;
end $$`);

/** The table of a data type: the platform's own (`from: accounts`), or the type's. */
function tableOf(policy: Policy, dataType: string): string | undefined {
  const from = policy.data[dataType]?.from;
  if (from === undefined || from === 'events') return undefined;
  return from.replaceAll('-', '_');
}

function grant(schema: string, { role, table }: Grant): Statement {
  if (table === '') return postgres(`grant usage on schema ${schema} to ${role}`);
  return postgres(`grant select, insert, update on ${schema}.${table} to ${role}`);
}

const revoke = (schema: string, { role, table }: Pick<Grant, 'role' | 'table'>) =>
  postgres(
    `revoke all on ${table === '' ? `schema ${schema}` : `${schema}.${table}`} from ${role}`,
  );

/** What each purpose's role is given, in the order of the document. */
function declaredGrants(tenant: TenantId, policy: Policy, tables: readonly string[]): Grant[] {
  return Object.values(policy.compiled.purposes).flatMap(({ id, data }) => {
    const role = purposeRoleOf(tenant, id);
    return [
      { role, table: '', rights: ON_SCHEMA },
      ...tables
        .filter((table) => data.some((type) => tableOf(policy, type) === table))
        .map((table) => ({ role, table, rights: ON_TABLE })),
    ];
  });
}

/**
 * A role for each purpose, with grants on the tables of the data declared for it, and on no other.
 *
 * @param tables  the tables in the tenant's schema, by name.
 */
export function grantPurposes(
  tenant: TenantId,
  policy: Policy,
  tables: readonly string[],
): Statement[] {
  return declaredGrants(tenant, policy, tables).flatMap((given) => [
    ...(given.table === '' ? [makeRole(given.role)] : []),
    grant(schemaOf(tenant), given),
  ]);
}

/** Takes away what the purpose may no longer read, once nobody works under the old revision. */
export function revokePurposes(
  tenant: TenantId,
  current: Policy | undefined,
  next: Policy,
  tables: readonly string[],
): Statement[] {
  const schema = schemaOf(tenant);
  return Object.values(current?.compiled.purposes ?? {}).flatMap(({ id, data }) => {
    const kept = new Set(next.compiled.purposes[id]?.data.map((type) => tableOf(next, type)));
    return tables
      .filter((table) => data.some((type) => current && tableOf(current, type) === table))
      .filter((table) => !kept.has(table))
      .map((table) => revoke(schema, { role: purposeRoleOf(tenant, id), table }));
  });
}

const placeOf = ({ role, table }: Grant) => `${role} ${table}`;

/**
 * What turns the grants that stand in a service's schema into those of its policy.
 *
 * @param joined  the roles that exist, belong to the family of purposes, and can be entered.
 */
export function mendGrants(
  tenant: TenantId,
  policy: Policy,
  tables: readonly string[],
  { joined, grants }: { joined: ReadonlySet<string>; grants: readonly Grant[] },
): Statement[] {
  const schema = schemaOf(tenant);
  const declared = declaredGrants(tenant, policy, tables);
  const wanted = new Map(declared.map((one) => [placeOf(one), one.rights]));
  const standing = new Map(grants.map((one) => [placeOf(one), one.rights]));
  const wrong = (one: Grant) => standing.get(placeOf(one)) !== one.rights;
  return [
    ...grants
      .filter((one) => wanted.get(placeOf(one)) !== one.rights)
      .map((one) => revoke(schema, one)),
    ...[...new Set(declared.map(({ role }) => role))]
      .filter((role) => !joined.has(role))
      .map(makeRole),
    ...declared.filter(wrong).map((one) => grant(schema, one)),
  ];
}
