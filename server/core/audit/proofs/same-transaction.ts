import { bearer, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term, terms } from '#core/promises';
import { type Act, actsOf } from './acts.ts';

/** Refusals of a kind are counted for a minute after the first; that one is written at once. */
const GROUPED_SECONDS = 65;

/**
 * A request with the key of another service is refused; once it is answered, the entry is there:
 * its own, or that of the first of its kind within the minute.
 *
 * @returns how many such entries are recent enough; `undefined` where it was not refused.
 */
async function refusalEntry({ others, tenant, canaries, sql }: Look): Promise<number | undefined> {
  const other = others[0];
  if (!other) return undefined;
  const { status, json } = await canaries.send([{ type: 'track', event: 'x' }], {
    path: `/v1/t/${tenant}/batch`,
    headers: bearer(other.writeKey),
  });
  if (status !== 403) return undefined;
  const { code = '' } = json as { code?: string };
  const [row] = await sql<{ entries: number }[]>`
    select count(*)::int as entries from troth.audit_entries
    where kind = 'refusal' and actor_id = ${other.writeKey.split('_')[1] ?? ''}
      and action = 'event.ingest' and fields ->> 'code' = ${code}
      and at > clock_timestamp() - make_interval(secs => ${GROUPED_SECONDS})`;
  return row?.entries ?? 0;
}

const kindsOf = (acts: readonly Act[]) => terms([...new Set(acts.map(({ what }) => what))]);

export const sameTransaction = defineProof({
  control: 'audit.same-transaction',
  strength: 'stored-bytes',
  blindTo:
    'Policies that are applied, switches and choices of retention; and acts outside PostgreSQL, such as of keys of people: those write an entry before and one after.',
  async prove(at) {
    const acts = await actsOf(at);
    if (!acts) return gap(saw`the acts of a canary were not found`);
    const silent = acts.filter(({ entry }) => entry === null);
    if (silent.length > 0) {
      return broken(saw`${silent.length} of ${acts.length} acts left no entry: ${kindsOf(silent)}`);
    }
    const apart = acts.filter(({ act, entry }) => act !== entry);
    if (apart.length > 0) {
      return broken(
        saw`${apart.length} of ${acts.length} acts and their entries were two transactions: ${kindsOf(apart)}`,
      );
    }
    const refused = await refusalEntry(at);
    if (refused === undefined) return gap(saw`a request that had to be refused was not`);
    if (refused < 1) return broken(saw`a refusal was answered without an entry`);
    return kept(
      saw`${acts.length} of ${acts.length} acts (${kindsOf(acts)}) share a transaction with their entry (${term('xmin')}); a refusal, or the first of its minute, had its entry before its answer`,
    );
  },
});
