import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { knock, knockAcross } from './doors.ts';
import { neighbours, type Resident, rowsSeen } from './neighbours.ts';

type Layer = 'database' | 'api' | 'objects' | 'cache' | 'queries';
/** What was tried in a layer, or what came of it that ends the proof. */
type Tried = number | Seen;
type Ground = { readonly own: Resident; readonly others: readonly Resident[] };

/** What an engine answers to a login that may not see: denied, or no such table or database. */
const HIDDEN: ReadonlySet<number> = new Set([497, 60, 81]);

/** Rows of the people of others in this service's context, and of its own in theirs. */
async function database(look: Look, { own, others }: Ground): Promise<Tried> {
  for (const other of others) {
    if ((await rowsSeen(look, other, other.tenant)) === 0) {
      return gap(saw`a canary's row was not seen in its own context either`);
    }
    const seen =
      (await rowsSeen(look, other, own.tenant)) + (await rowsSeen(look, own, other.tenant));
    if (seen > 0) return broken(saw`${seen} rows were seen in the context of another service`);
  }
  return 2 * others.length;
}

async function api(look: Look, { own }: Ground): Promise<Tried> {
  const answered = await knock(look, look.tenant, look.writeKey, own.userId);
  if (answered.some(({ status }) => status >= 300)) return gap(saw`its own key opened nothing`);
  const { tries, opened } = await knockAcross(look, look.canaries.person().userId);
  if (opened.length > 0) return broken(saw`a foreign key was let in at ${terms(opened)}`);
  return tries;
}

/** Rows that a join over two schemas brings together, in the context of one of them. */
const joined = ({ asServer }: Look, own: Resident, other: Resident): Promise<number> =>
  asServer(own.tenant, async (tx) => {
    const [row] = await tx<{ rows: number }[]>`
      select count(*)::int as rows
      from ${tx(own.schema)}.consent_receipts as ours
      join ${tx(other.schema)}.consent_receipts as theirs on true
      where theirs.subject = ${other.subject} and ours.subject = ${own.subject}`;
    return row?.rows ?? 0;
  });

const loginName = (login: number) => `purpose_${String(login).padStart(3, '0')}`;
type Table = { readonly database: string; readonly name: string };

/** Tables of events, by the database that each service has. */
const eventTables = ({ query }: Look) =>
  query<Table>(
    `select database, name from system.tables
     where startsWith(database, 'tenant_') and engine like '%MergeTree' order by database, name`,
  );

/** Views of a login that reach into the database of another service. */
async function reaching({ query }: Look, login: number, foreign: ReadonlySet<string>) {
  const views = await query<Table & { text: string }>(
    `select database, name, as_select as text from system.tables
     where database = {login:String} order by name`,
    { login: loginName(login) },
  );
  const bad = views.filter(({ text }) => [...foreign].some((one) => text.includes(`${one}.`)));
  return { views, bad };
}

/** Every purpose of this service asks for the events of every other one. */
async function inEventStore(look: Look, own: Resident): Promise<Tried> {
  const logins = await look.sql<{ login: number }[]>`
    select login from troth.purpose_logins where tenant = ${look.tenant}`;
  const tables = await eventTables(look);
  const home = own.schema;
  const foreign = tables.filter(({ database: name }) => name !== home);
  const databases = new Set(foreign.map(({ database: name }) => name));
  let tries = 0;
  let shown = 0;
  for (const { login } of logins) {
    const { views, bad } = await reaching(look, login, databases);
    if (bad.length > 0) return broken(saw`a purpose is shown the events of another service`);
    for (const name of databases) {
      const table = foreign.find((one) => one.database === name);
      if (!table) continue;
      const asked = await look.queryAs(
        login,
        'select count() from {database:Identifier}.{name:Identifier}',
        { ...table },
      );
      if ('rows' in asked) return broken(saw`a purpose read the events of another service`);
      if (!HIDDEN.has(asked.refused)) return gap(saw`the event store refused for another reason`);
      tries += 1;
    }
    const [view] = views;
    const read =
      view &&
      (await look.queryAs(login, 'select count() from {database:Identifier}.{name:Identifier}', {
        database: view.database,
        name: view.name,
      }));
    if (read && 'rows' in read) shown += 1;
  }
  return shown > 0 ? tries : gap(saw`no purpose of the service reads its own events either`);
}

async function queries(look: Look, { own, others }: Ground): Promise<Tried> {
  for (const other of others) {
    const rows = (await joined(look, own, other)) + (await joined(look, other, own));
    if (rows > 0) return broken(saw`a join brought ${rows} rows of two services together`);
  }
  const tried = await inEventStore(look, own);
  return typeof tried === 'number' ? tried + 2 * others.length : tried;
}

const LOOKS: Partial<Record<Layer, (look: Look, ground: Ground) => Promise<Tried>>> = {
  database,
  api,
  queries,
};

export const noCrossing = defineProof({
  control: 'tenancy.no-crossing',
  strength: 'protocol',
  blindTo: 'Paths that nobody thought of; the owner of the engines, who sees every service.',
  async prove(at, { layers }) {
    const bound = layers as Layer[];
    const { own, others } = await neighbours(at);
    if (!own || others.length === 0) return gap(saw`two canaries of two services were not made`);
    let tries = 0;
    for (const layer of bound) {
      const tried = (await LOOKS[layer]?.(at, { own, others })) ?? 0;
      if (typeof tried !== 'number') return tried;
      tries += tried;
    }
    const unseen = bound.filter((layer) => !LOOKS[layer]);
    if (unseen.length > 0) {
      return gap(
        saw`${tries} attempts found no way; no service has ${terms(unseen)} of its own yet that could be tried`,
      );
    }
    return kept(
      saw`${tries} attempts between this service and ${at.others.length} others (${terms(bound)}): each was refused or saw nothing, where its own was seen`,
    );
  },
});
