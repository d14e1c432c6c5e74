import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { neighbours, type Resident, rowsSeen } from './neighbours.ts';

const DENIED = '42501';

/** Tables of services on which row security is not forced, or has no policy. */
const openTables = ({ sql }: Look) => sql<{ name: string }[]>`
  select schema || '.' || relname as name
  from pg_class, troth.tenants
  where relnamespace = to_regnamespace(schema) and relkind in ('r', 'p')
    and not (relrowsecurity and relforcerowsecurity
             and exists (select from pg_policy where polrelid = pg_class.oid))
  order by name
  limit 100`;

const tablesOf = async ({ sql }: Look): Promise<number> => {
  const [row] = await sql<{ tables: number }[]>`
    select count(*)::int as tables
    from pg_class, troth.tenants
    where relnamespace = to_regnamespace(schema) and relkind in ('r', 'p')`;
  return row?.tables ?? 0;
};

/** Roles that row security does not hold for, among those that the server can be. */
const exempt = ({ sql }: Look) => sql<{ role: string }[]>`
  select rolname as role
  from pg_roles
  where (rolsuper or rolbypassrls)
    and (rolname = 'troth_app' or pg_has_role('troth_app', pg_roles.oid, 'member'))
  order by rolname
  limit 100`;

/** Ways to bend a genuine context of another service; none may open anything. */
const FORGERIES: Readonly<Record<string, (genuine: string, to: string) => string>> = {
  'another service': (genuine, to) => [to, ...genuine.split('|').slice(1)].join('|'),
  'another connection': (genuine, to) => {
    const [, backend = '0', ...rest] = genuine.split('|');
    return [to, Number(backend) + 1, ...rest].join('|');
  },
  'an older minute': (genuine, to) => {
    const [, backend = '0', minute = '0', signature] = genuine.split('|');
    return [to, backend, Number(minute) - 600, signature].join('|');
  },
  'no signature': (_, to) => `${to}|0|0|`,
};

/** The forgeries that the database took. */
async function taken({ asServer }: Look, own: Resident, other: Resident): Promise<string[]> {
  const names: string[] = [];
  for (const [name, forge] of Object.entries(FORGERIES)) {
    const refused = await asServer(other.tenant, async (tx) => {
      try {
        await tx.savepoint(async (inner) => {
          const [row] = await inner<{ context: string }[]>`
            select current_setting('troth.context') as context`;
          const forged = forge(row?.context ?? '', own.tenant);
          await inner`select set_config('troth.context', ${forged}, true)`;
          await inner`select count(*) from ${inner(own.schema)}.consent_receipts`;
        });
        return false;
      } catch (error) {
        const { code = '' } = error as { code?: string };
        // What cannot even be read as a context is refused in another word.
        if (code === DENIED || code.startsWith('22')) return true;
        throw error;
      }
    });
    if (!refused) names.push(name);
  }
  return names;
}

/** As the owner of the tables, in no context. */
async function rowsOfOwner({ sql }: Look, { schema, subject }: Resident): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select count(*)::int as rows from ${sql(schema)}.consent_receipts
    where subject = ${subject}`;
  return row?.rows ?? 0;
}

export const rowSecurity = defineProof({
  control: 'tenancy.row-security',
  strength: 'protocol',
  blindTo: 'A superuser of the database, whom no row security holds for.',
  async prove(at) {
    const { own, others } = await neighbours(at);
    const [other] = others;
    if (!own || !other) return gap(saw`a canary in this service and one in another were not made`);
    if ((await rowsSeen(at, own, own.tenant)) === 0) {
      return gap(saw`the canary's row was not seen in its own context either`);
    }
    const open = await openTables(at);
    if (open.length > 0) {
      return broken(saw`row security is not forced on ${terms(open.map(({ name }) => name))}`);
    }
    const roles = await exempt(at);
    if (roles.length > 0) {
      return broken(saw`it does not hold for ${terms(roles.map(({ role }) => role))}`);
    }
    let foreign = await rowsSeen(at, own, undefined);
    for (const { tenant } of others) foreign += await rowsSeen(at, own, tenant);
    foreign += await rowsOfOwner(at, own);
    if (foreign > 0) return broken(saw`${foreign} rows were seen in a wrong context or in none`);
    const forged = await taken(at, own, other);
    if (forged.length > 0) return broken(saw`a forged context was taken: ${terms(forged)}`);
    const contexts = others.length + 1;
    return kept(
      saw`forced on ${await tablesOf(at)} of ${await tablesOf(at)} tables; the canary's rows were seen in its own context and in none of ${contexts} others, nor by the owner of the table; ${Object.keys(FORGERIES).length} forged contexts were refused`,
    );
  },
});
