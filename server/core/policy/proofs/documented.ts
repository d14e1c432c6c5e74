import { inEngine, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { publishedBy, rowsBelow } from './published.ts';
import { storedColumns } from './stored-columns.ts';

type Purpose = { readonly id: string; readonly title: string };
type Mapped = {
  readonly types: readonly {
    readonly id: string;
    readonly purposes: readonly Purpose[];
    readonly fields: readonly { readonly name: string }[];
  }[];
  readonly jobs: readonly { readonly name: string; readonly purpose: Purpose | null }[];
};

/** Every kind of job that the queue takes, waits for, or was ever seen to run. */
async function liveJobs({ sql }: Look): Promise<string[]> {
  const rows = await sql<{ job: string }[]>`
    select job from troth.job_heartbeats
    union select identifier from troth_jobs._private_known_crontabs
    union select identifier from troth_jobs._private_tasks
    order by job
    limit 1000`;
  return rows.map(({ job }) => job);
}

/** Fields of stored rows whose type the map shows with no purpose, or not at all. */
async function strayFields(look: Look, { types }: Mapped): Promise<[string[], number]> {
  const columns = (await storedColumns(look)).filter(({ name }) => name.startsWith('f_'));
  const strays = columns.filter(({ table, name }) => {
    const type = types.find(({ id }) => inEngine(id) === table);
    const isShown = type?.fields.some((field) => `f_${field.name}` === name);
    return !isShown || type?.purposes.length === 0;
  });
  return [strays.map(({ table, name }) => `${table} ${name}`), columns.length];
}

export const documented = defineProof({
  control: 'purpose.documented',
  strength: 'api',
  blindTo:
    'Whether a job does what its purpose says, and work that is done while a request is answered.',
  async prove(at) {
    const [published, told] = [await publishedBy(at), await at.http(`/v1/t/${at.tenant}/data-map`)];
    if (!published || told.status !== 200) {
      return broken(saw`a stranger cannot read the page or the data map`);
    }
    const map = told.json as Mapped;
    const live = await liveJobs(at);
    if (live.length === 0) return gap(saw`the queue knows no job that could be looked for`);
    const page = rowsBelow(published.html, 'Why it is used').map(([title]) => title);
    const isDocumented = ({ id, title }: Purpose) => {
      const declared = at.policy.purposes[id];
      return declared !== undefined && (declared.title ?? id) === title && page.includes(title);
    };
    const bare = live.filter((job) => {
      const purpose = map.jobs.find(({ name }) => name === job)?.purpose;
      return !purpose || !isDocumented(purpose);
    });
    if (bare.length > 0) return broken(saw`without a documented purpose run: ${terms(bare)}`);
    const aimless = map.types.filter(
      ({ purposes }) => purposes.length === 0 || !purposes.every(isDocumented),
    );
    if (aimless.length > 0) {
      return broken(saw`no documented purpose has ${terms(aimless.map(({ id }) => id))}`);
    }
    const [strays, fields] = await strayFields(at, map);
    if (fields === 0) return gap(saw`no stored field could be looked at`);
    if (strays.length > 0) return broken(saw`stored without a purpose: ${terms(strays)}`);
    const named = [...new Set(map.jobs.flatMap(({ purpose }) => purpose?.title ?? []))];
    return kept(
      saw`${live.length} of ${live.length} kinds of job in the queue name a purpose of the page (${term(named.join(', '))}), as do the types of ${fields} of ${fields} stored fields`,
    );
  },
});
