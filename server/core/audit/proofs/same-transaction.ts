import { asClient, bearer, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';

/** An act by the transaction that wrote it, and the transaction of its entry; null without one. */
type Pair = { readonly act: string; readonly entry: string | null };

async function schemaOf({ sql, tenant }: Look): Promise<string> {
  const [found] = await sql<{ schema: string }[]>`
    select schema from troth.tenants where id = ${tenant}`;
  if (!found) throw new Error('the service has no schema');
  return found.schema;
}

/** Decisions of somebody who agreed to everything, and then took it all back. */
async function decisions(look: Look): Promise<readonly Pair[]> {
  const { canaries, keys, tenant, asServer } = look;
  const { userId } = await canaries.agreeing();
  await asClient(look, '/consents/withdraw', { body: { handle: { userId } } });
  const [found] = await keys.find(tenant, [{ kind: 'user', value: userId }], { create: false });
  if (typeof found !== 'object') return [];
  const schema = await schemaOf(look);
  return asServer(
    tenant,
    (tx) => tx<Pair[]>`
    select receipts.xmin::text as act, (
      select entries.xmin::text from troth.audit_entries as entries
      where entries.subject = receipts.subject and entries.tenant = ${tenant}
        and fields ->> 'purpose' = purpose and (fields -> 'granted')::text = granted::text
      limit 1) as entry
    from ${tx(schema)}.consent_receipts as receipts
    where receipts.subject = ${found.subject} and kind = 'decision'
    limit 1000`,
  );
}

/** The write key that canaries are sent with, which this start of the server has issued. */
const issuing = ({ sql, writeKey }: Look) => sql<Pair[]>`
  select issued.xmin::text as act, (
    select entries.xmin::text from troth.audit_entries as entries
    where entries.tenant = issued.tenant and event = 'write-key.issued'
      and fields ->> 'key' = issued.id
    limit 1) as entry
  from troth.write_keys as issued
  where id = ${writeKey.split('_')[1] ?? ''}`;

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

export const sameTransaction = defineProof({
  control: 'audit.same-transaction',
  strength: 'stored-bytes',
  blindTo: 'Acts outside PostgreSQL, such as of keys: those write an entry before and one after.',
  async prove(at) {
    const decided = await decisions(at);
    const issued = await issuing(at);
    if (decided.length < 2 || issued.length === 0) {
      return gap(saw`the acts of a canary were not found`);
    }
    const acts = [...decided, ...issued];
    const silent = acts.filter(({ entry }) => entry === null).length;
    if (silent > 0) return broken(saw`${silent} of ${acts.length} acts left no entry`);
    const apart = acts.filter(({ act, entry }) => act !== entry).length;
    if (apart > 0) {
      return broken(saw`${apart} of ${acts.length} acts and their entries were two transactions`);
    }
    const refused = await refusalEntry(at);
    if (refused === undefined) return gap(saw`a request that had to be refused was not`);
    if (refused < 1) return broken(saw`a refusal was answered without an entry`);
    return kept(
      saw`${acts.length} of ${acts.length} acts share a transaction with their entry (${term('xmin')}); a refusal, or the first of its minute, had its entry before its answer`,
    );
  },
});
