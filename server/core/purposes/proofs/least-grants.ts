import { inEngine, type Look, placesOf } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { strangeMemberships } from './memberships.ts';
import { loginsOf } from './reading.ts';

type Grant = {
  readonly schema: string;
  readonly table: string;
  readonly role: string;
  readonly right: string;
};

/** What each shared role may hold of the tables that all services share; nothing else. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  troth_purpose: [
    'audit_entries INSERT',
    'audit_trees SELECT',
    'policies SELECT',
    'tenants SELECT',
  ],
};

/** Rights that no role of the server's holds on any table. */
const NEVER = new Set(['TRUNCATE', 'REFERENCES', 'TRIGGER']);
/** What was promised and what was done: added to, never changed. */
const RECORDS = /^(policies|policy_statements|tenants|purpose_logins|audit_entries|audit_leaves)$/;
const CHANGES = new Set(['UPDATE', 'DELETE']);
/** A sweep and an erasure remove; neither writes rows of people. */
const REMOVERS = new Set(['troth_eraser', 'troth_sweeper']);

/** Rights on whole tables, and on single columns of them. */
const liveGrants = (at: Look, purposes: readonly string[]) => at.sql<Grant[]>`
  select nspname as schema, relname as table, coalesce(rolname, 'public') as role,
         privilege_type as right
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  cross join lateral (
    select grantee, privilege_type from aclexplode(relacl)
    union
    select grantee, privilege_type
    from pg_attribute, aclexplode(attacl)
    where attrelid = pg_class.oid
  ) as acl
  left join pg_roles on pg_roles.oid = acl.grantee
  where (nspname in ('troth', 'troth_sec', ${placesOf(at).schema}) or rolname = any(${purposes}))
    and relkind in ('r', 'p', 'v', 'm') and acl.grantee <> relowner`;

/** What a purpose's role is given by the policy: the tables of account of its data. */
function declaredTables({ policy }: Look, purpose: string): Set<string> {
  const data = policy.compiled.purposes[purpose]?.data ?? [];
  const from = data.map((id) => policy.data[id]?.from ?? '').filter((name) => name !== 'events');
  return new Set(from.map(inEngine));
}

/** Why a right that somebody holds is one too many; `undefined` where it is not. */
function tooMuch(at: Look, purposes: ReadonlyMap<string, string>, grant: Grant): boolean {
  const { schema, table, role, right } = grant;
  if (role === 'public' || schema === 'troth_sec' || NEVER.has(right)) return true;
  const purpose = purposes.get(role);
  if (purpose !== undefined) {
    const own = schema === placesOf(at).schema && declaredTables(at, purpose).has(table);
    return !own || right === 'DELETE';
  }
  if (schema === 'troth' && SHARED[role]) return !SHARED[role].includes(`${table} ${right}`);
  if (RECORDS.test(table) && schema === 'troth' && CHANGES.has(right)) return true;
  if (REMOVERS.has(role))
    return table !== 'audit_entries' && right !== 'SELECT' && right !== 'DELETE';
  return role !== 'troth_app' && !SHARED[role];
}

/**
 * Roles that the server's login is, or can become, which could do more than any grant says, or
 * could be entered without it.
 */
const mightyRoles = (at: Look) => at.sql<{ name: string }[]>`
  select rolname as name
  from pg_roles
  where pg_has_role('troth_app', oid, 'member')
    and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
         or rolcanlogin and rolname <> 'troth_app')`;

/** Logins of the event store that hold another grant, or see another view, than they should. */
async function strangeLogins(at: Look): Promise<string[] | undefined> {
  const logins = await loginsOf(at);
  if (logins.size === 0) return undefined;
  const strange: string[] = [];
  for (const [purpose, login] of logins) {
    const own = `purpose_${String(login).padStart(3, '0')}`;
    const held = await at.queryAs<Record<string, string>>(login, 'show grants');
    const grants = 'rows' in held ? held.rows.flatMap((row) => Object.values(row)) : [];
    const views = await at.query<{ name: string }>(
      'select name from system.tables where database = {own:String} order by name',
      { own },
    );
    const declared = at.policy.compiled.purposes[purpose]?.data ?? [];
    const wanted = at.canaries.eventTypes
      .filter((id) => declared.includes(id))
      .map((id) => `${placesOf(at).active}__${inEngine(id)}`)
      .sort();
    const only = grants.join() === `GRANT SELECT ON ${own}.* TO ${own}`;
    if (!only || views.map(({ name }) => name).join() !== wanted.join()) strange.push(purpose);
  }
  return strange;
}

/** What the server's own login could reach beside tables. */
const REACHES =
  /\b(ALL|FILE|URL|REMOTE|S3|HDFS|MYSQL|POSTGRES|SOURCES|ACCESS MANAGEMENT|SYSTEM SHUTDOWN)\b/;

export const leastGrants = defineProof({
  control: 'access.least-grants',
  strength: 'configuration',
  blindTo: 'The owner of the database and whoever runs the machine, who can do anything.',
  async prove(at) {
    const purposes = new Map(
      Object.keys(at.policy.purposes).map((id) => [
        `troth_${inEngine(at.tenant)}_${inEngine(id)}`,
        id,
      ]),
    );
    const grants = await liveGrants(at, [...purposes.keys()]);
    if (grants.length < 20) return gap(saw`only ${grants.length} grants could be read`);
    const extra = grants.filter((grant) => tooMuch(at, purposes, grant));
    if (extra.length > 0) {
      const named = extra.map(({ role, right, table }) => `${role}: ${right} on ${table}`);
      return broken(saw`${extra.length} rights too many: ${terms(named)}`);
    }
    const members = await strangeMemberships(at, purposes);
    if (!members) return gap(saw`memberships of roles could not be read`);
    if (members.length > 0)
      return broken(saw`${members.length} memberships too many: ${terms(members)}`);
    const mighty = await mightyRoles(at);
    if (mighty.length > 0)
      return broken(saw`roles above all grants: ${terms(mighty.map(({ name }) => name))}`);
    const strange = await strangeLogins(at);
    if (!strange) return gap(saw`no purpose has a login in the event store`);
    if (strange.length > 0)
      return broken(
        saw`logins that see or hold something else than the policy gives: ${terms(strange)}`,
      );
    const own = await at.query<Record<string, string>>('show grants');
    const reach = own.flatMap((row) => Object.values(row)).filter((line) => REACHES.test(line));
    if (reach.length > 0)
      return broken(saw`the server's login reaches beyond tables: ${term(reach[0] ?? '')}`);
    return kept(
      saw`${grants.length} rights on tables, all memberships of roles and ${purposes.size} logins of purposes compared with the policy: none too many`,
    );
  },
});
