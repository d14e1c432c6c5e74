import { inEngine, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms, wordsOf } from '#core/promises';
import { asksEngine, loginsOf, unfilled, unreadFor } from './reading.ts';

/** What every purpose reaches, and must: none of it is about a person that data is held of. */
const SHARED: ReadonlySet<string> = new Set([
  'troth.policies',
  'troth.tenants',
  'troth.audit_trees',
  // Added to, never read.
  'troth.audit_entries',
]);

/** Tables that the role can do anything with: itself, as anybody, or as a role it can become. */
async function reachOf({ sql }: Look, role: string): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    with became as materialized (
      select oid from pg_roles where pg_has_role(${role}, oid, 'member')
    )
    select distinct nspname || '.' || relname as name
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    cross join became
    where relkind in ('r', 'p', 'v', 'm', 'f')
      and nspname not in ('pg_catalog', 'information_schema')
      and (has_any_column_privilege(became.oid, pg_class.oid, 'select, insert, update')
           or has_table_privilege(became.oid, pg_class.oid, 'delete, truncate, trigger'))
    order by name`;
  return tables.map(({ name }) => name);
}

export const holdsOnly = defineProof({
  control: 'purpose.holds-only',
  strength: 'protocol',
  blindTo: 'Records of account: this version fills none of the types that are made of them.',
  async prove(at, { purpose, data }) {
    const name = String(purpose);
    const bound = wordsOf(data);
    const declared = at.policy.compiled.purposes[name]?.data ?? [];
    const others = declared.filter((type) => !bound.includes(type));
    if (others.length > 0 || declared.length !== bound.length)
      return broken(
        saw`the policy gives ${term(name)} other data than the sentence: ${terms(declared)}`,
      );
    const empty = unfilled(at, bound);
    if (empty) return empty;
    const login = (await loginsOf(at)).get(name);
    if (login === undefined) return gap(saw`${term(name)} has no login in the event store`);
    for (const type of bound) {
      const unread = await unreadFor(at, type, [name]);
      if (!unread) return gap(saw`the canary in ${term(type)} could not be read back`);
      if (unread.length > 0) return broken(saw`${term(name)} does not open ${term(type)}`);
    }
    const rest = at.canaries.eventTypes.filter((type) => !bound.includes(type));
    for (const type of rest)
      if ((await asksEngine(at, login, type)) !== 'hidden')
        return broken(saw`the login of ${term(name)} is shown ${term(type)} as well`);
    const reached = await reachOf(at, inEngine(`troth_${at.tenant}_${name}`));
    const extra = reached.filter((table) => !SHARED.has(table));
    if (extra.length === reached.length)
      return gap(saw`what the role of ${term(name)} reaches could not be read`);
    if (extra.length > 0)
      return broken(saw`its role reaches ${extra.length} tables of account: ${terms(extra)}`);
    return kept(
      saw`${term(name)} opened ${terms(bound)} and none of the ${rest.length} other types of events, and no table of account`,
    );
  },
});
