import { inEngine } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms, wordsOf } from '#core/promises';
import { asksEngine, loginsOf, unfilled, unreadFor } from './reading.ts';

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
    const role = inEngine(`troth_${at.tenant}_${name}`);
    const granted = await at.sql<{ table: string }[]>`
      select distinct table_schema || '.' || table_name as table
      from information_schema.role_table_grants
      where grantee = ${role}
      order by 1`;
    if (granted.length > 0)
      return broken(
        saw`its role holds ${granted.length} tables of account: ${terms(granted.map(({ table }) => table))}`,
      );
    return kept(
      saw`${term(name)} opened ${terms(bound)} and none of the ${rest.length} other types of events, and no table of account`,
    );
  },
});
