/**
 * What the login of a purpose sees of the events: a view for each declared type that the purpose is
 * given, with the columns whose fields are for it. Sealed fields are in none.
 */
import type { Policy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import { purposeLogin } from '#platform/events';
import { type Column, type EventTable, eventTablesOf } from './columns.ts';
import type { Statement } from './ddl.ts';
import { eventsDatabaseOf } from './naming.ts';

/** The purposes of a service, each with the number of its login. */
export type PurposeLogins = ReadonlyMap<string, number>;

export type PurposeView = { readonly database: string; readonly view: string };

/** The name tells the service too: no two of them ever mean one view. */
export const purposeViewOf = (
  login: number,
  { database, table }: Pick<EventTable, 'database' | 'table'>,
): PurposeView => ({ database: purposeLogin(login), view: `${database}__${table}` });

const nameOf = ({ database, view }: PurposeView) => `\`${database}\`.\`${view}\``;

const clickhouse = (statement: string): Statement => ({ engine: 'clickhouse', statement });

/** Columns that are nobody's to read: the ciphertext, and the ledger's own. */
const NEVER_SHOWN: ReadonlySet<string> = new Set(['sealed', 'batch']);

/** Opaque bytes are no text, and a program reads 64 bits as fewer: both are shown as text. */
const AS_TEXT: Readonly<Record<string, string>> = {
  subject: 'lower(hex(subject)) as subject',
  session: 'toString(session) as session',
  message: 'toString(message) as message',
};

/** What a reading for the purpose selects of these columns: each under its own name, as a list. */
export function columnsFor(purpose: string, columns: readonly Column[]): string {
  return columns
    .filter(({ name }) => !NEVER_SHOWN.has(name))
    .filter(({ field }) => field?.purposes.includes(purpose) ?? true)
    .map(({ name }) => AS_TEXT[name] ?? `\`${name}\``)
    .join(', ');
}

/** Without a definer, whose name is another at each start of the embedded engine. */
const definitionOf = (purpose: string, table: EventTable) =>
  `sql security none as
select ${columnsFor(purpose, table.columns)} from \`${table.database}\`.\`${table.table}\``;

const createView = (purpose: string, login: number, table: EventTable) =>
  `create or replace view ${nameOf(purposeViewOf(login, table))} ${definitionOf(purpose, table)}`;

const tablesFor = (tenant: TenantId, policy: Policy | undefined, purpose: string) =>
  policy
    ? eventTablesOf(tenant, policy).filter(({ dataType }) =>
        policy.compiled.data[dataType]?.purposes.includes(purpose),
      )
    : [];

/** Shows each login what its purpose is given by `next`, and takes away what it no longer is. */
export function showPurposes(
  tenant: TenantId,
  current: Policy | undefined,
  next: Policy,
  logins: PurposeLogins,
): Statement[] {
  return [...logins].flatMap(([purpose, login]) => {
    const shown = tablesFor(tenant, next, purpose);
    const names = new Set(shown.map(({ table }) => table));
    const gone = tablesFor(tenant, current, purpose).filter(({ table }) => !names.has(table));
    return [
      `create database if not exists \`${purposeLogin(login)}\``,
      ...gone.map((table) => `drop view if exists ${nameOf(purposeViewOf(login, table))} sync`),
      ...shown.map((table) => createView(purpose, login, table)),
    ].map(clickhouse);
  });
}

/** A view as it stands, with the statement that the engine would make it by. */
export type StandingView = PurposeView & { readonly statement: string };

/** The engine writes the same statement without needless quotes, and in capitals. */
const plain = (sql: string) => sql.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim().toLowerCase();

/** What turns the views that stand in a service's logins into those of its policy. */
export function mendViews(
  tenant: TenantId,
  policy: Policy,
  logins: PurposeLogins,
  standing: readonly StandingView[],
): Statement[] {
  const own = `${eventsDatabaseOf(tenant)}__`;
  return [...logins].flatMap(([purpose, login]) => {
    const mine = standing.filter(
      ({ database, view }) => database === purposeLogin(login) && view.startsWith(own),
    );
    const found = new Map(mine.map((one) => [one.view, plain(one.statement)]));
    const shown = tablesFor(tenant, policy, purpose);
    const names = new Set(shown.map((table) => purposeViewOf(login, table).view));
    const wrong = shown.filter((table) => {
      const made = found.get(purposeViewOf(login, table).view);
      // Between the two the engine names the columns and their types.
      return !made?.endsWith(`) ${plain(definitionOf(purpose, table))}`);
    });
    return [
      ...mine.filter(({ view }) => !names.has(view)).map((one) => `drop view ${nameOf(one)} sync`),
      ...(wrong.length > 0 ? [`create database if not exists \`${purposeLogin(login)}\``] : []),
      ...wrong.map((table) => createView(purpose, login, table)),
    ].map(clickhouse);
  });
}
