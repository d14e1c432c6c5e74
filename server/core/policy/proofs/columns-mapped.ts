import { inEngine, type Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, terms } from '#core/promises';
import { accountColumns, strangeAccounts, strangeWorking } from './account-columns.ts';
import { applied, impossibleDraft } from './drafts.ts';
import { type Column, storedColumns } from './stored-columns.ts';

/** What every row has so that it can be found, kept for its time and erased. */
const TECHNICAL = new Set([
  'received_at',
  'event_at',
  'name',
  'subject',
  'message',
  'batch',
  'mode',
  'sealed',
  'expires',
]);
/** What the door adds, and the setting under which the policy lets it. */
const ADDED: Readonly<Record<string, 'geolocation' | 'device' | 'session'>> = {
  country: 'geolocation',
  device: 'device',
  os: 'device',
  browser: 'device',
  session: 'session',
};

/** Columns of events that no declared field with a class and a purpose stands behind. */
async function unmapped(at: Look, columns: readonly Column[]): Promise<string[]> {
  const { policy } = at;
  const types = new Map(Object.keys(policy.data).map((id) => [inEngine(id), id]));
  const found: string[] = [];
  for (const { database, table, name } of columns) {
    const id = types.get(table);
    const type = id === undefined ? undefined : policy.data[id];
    const field =
      id === undefined ? undefined : policy.compiled.data[id]?.fields[name.replace(/^f_/, '')];
    const isLabelled = (type?.categories.length ?? 0) > 0 && (type?.purposes.length ?? 0) > 0;
    if (!type || !isLabelled) found.push(`${table}.${name}`);
    else if (name.startsWith('f_') && (!field || field.seal !== null))
      found.push(`${table}.${name}`);
    else if (
      !name.startsWith('f_') &&
      !TECHNICAL.has(name) &&
      !(await isAllowed(at, { database, table, name }))
    )
      found.push(`${table}.${name}`);
  }
  return found;
}

/** What the door adds is mapped by its switch; without one the column is there, and empty. */
async function isAllowed(at: Look, { database, table, name }: Column): Promise<boolean> {
  const added = ADDED[name];
  if (added === undefined) return false;
  if (at.policy.ingest?.enrich?.[added] !== undefined) return true;
  const [row] = await at.query<{ filled: string }>(
    "select countIf(notEmpty(toString({name:Identifier})) and toString({name:Identifier}) != '0') as filled from {database:Identifier}.{table:Identifier}",
    { database, table, name },
  );
  return Number(row?.filled ?? 1) === 0;
}

/** What a document must not get through with, and the same document without it. */
async function judged(at: Look): Promise<'refused' | 'passed' | undefined> {
  const drafts = [
    impossibleDraft(at, () => undefined),
    impossibleDraft(at, (document, id) =>
      Object.assign(document.data[id] ?? {}, { categories: [] }),
    ),
    impossibleDraft(at, (document, id) =>
      Object.assign(document.data[id]?.fields ?? {}, {
        looked_at_by_a_proof: { type: 'string(20)', category: 'user.contact.email' },
      }),
    ),
  ];
  const codes: string[] = [];
  for (const text of drafts) {
    if (text === undefined) return undefined;
    codes.push((await applied(at, { text, reason: 'features: a field' })).code);
  }
  const [sound, ...faulty] = codes;
  if (sound === 'policy-has-errors') return undefined;
  return faulty.every((code) => code === 'policy-has-errors') ? 'refused' : 'passed';
}

export const columnsMapped = defineProof({
  control: 'purpose.columns-mapped',
  strength: 'stored-bytes',
  blindTo:
    'Tables that all services share: sealed events on their way, the audit log, the ledgers.',
  async prove(at) {
    const columns = await storedColumns(at);
    if (columns.length === 0) return gap(saw`the service has no table of events`);
    const stray = await unmapped(at, columns);
    if (stray.length > 0) return broken(saw`columns without a declared field: ${terms(stray)}`);
    const accounts = await accountColumns(at);
    if (accounts.length === 0) return gap(saw`the columns of account could not be read`);
    const strange = [...strangeAccounts(at, accounts), ...(await strangeWorking(at))];
    if (strange.length > 0)
      return broken(saw`columns that belong to no data type: ${terms(strange)}`);
    const answer = await judged(at);
    if (answer === undefined) return gap(saw`no draft could be made that is safe to send`);
    if (answer === 'passed')
      return broken(
        saw`a document with an unlabelled type, or a personal field in clear, was taken further`,
      );
    return kept(
      saw`${columns.length} of ${columns.length} columns of events belong to a declared field or to the row itself, ${accounts.length} of ${accounts.length} of account to a record of a declared type; a document without a class was refused, and one with a personal field in clear`,
    );
  },
});
