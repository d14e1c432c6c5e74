import { type Look, placesOf, WORKING_TABLES } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms, wordsOf } from '#core/promises';
import { type Aged, swept } from './ages.ts';

/** Where a type has no length, it ends with something: these are the words for it. */
const ENDS_WITH = /^(session|until-[a-z]+)$/;

/** Tables with rows of events that are no declared type's. */
async function strays(look: Look): Promise<string[]> {
  const { query, policy } = look;
  const rows = await query<{ name: string }>(
    `select name
     from system.tables
     where database = {database:String} and engine like '%MergeTree%'`,
    { database: placesOf(look).active },
  );
  const declared = Object.values(policy.compiled.data).map(({ table }) => table);
  const known = new Set([...declared, ...WORKING_TABLES]);
  return rows.map(({ name }) => name).filter((name) => !known.has(name));
}

const isEnded = (retain: unknown): boolean =>
  typeof retain === 'object' || /^P/.test(String(retain)) || ENDS_WITH.test(String(retain));

/** Types of events that no sweep has on record, though a length ends them. */
const unswept = (aged: readonly Aged[]) =>
  aged
    .filter(({ promised, sweptAt }) => promised.totalMs !== undefined && sweptAt === undefined)
    .map(({ promised }) => promised.dataType);

export const everyTypeLimited = defineProof({
  control: 'retention.every-type-limited',
  strength: 'stored-bytes',
  blindTo: 'Kinds of data that the service keeps beside Troth.',
  prepare: swept,
  async prove(look, { data }) {
    const named = data === undefined ? undefined : wordsOf(data);
    const all = Object.entries(look.policy.data);
    const types = named ? all.filter(([id]) => named.includes(id)) : all;
    if (types.length === 0) return gap(saw`the document in force declares no such type`);
    const endless = types.filter(([, { retain }]) => !isEnded(retain)).map(([id]) => id);
    if (endless.length > 0) return broken(saw`${terms(endless)} end after nothing`);
    const { types: seen, ran } = await swept(look);
    if (!ran) return gap(saw`the sweep did not end while this waited`);
    const aged = types.flatMap(([id]) => seen.get(id) ?? []);
    const finite = aged.filter(({ promised }) => promised.totalMs !== undefined);
    if (named && finite.length < named.length) {
      return broken(saw`${terms(named)} ends after no length of time`);
    }
    const missing = unswept(aged);
    if (missing.length > 0) return broken(saw`no sweep of ${terms(missing)} is on record`);
    const stray = named ? [] : await strays(look);
    if (stray.length > 0) return broken(saw`a table without a type and a limit: ${terms(stray)}`);
    const others = types.length - finite.length;
    const what = named ? terms(named) : term(`all ${types.length} types`);
    return kept(
      saw`${what}: ${finite.length} end after a length of time and were swept, ${others} with what they belong to or are not made yet; no table is without a type`,
    );
  },
});
