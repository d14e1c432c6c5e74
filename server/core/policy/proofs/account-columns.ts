/** The columns of a service beside its events: records of account, and what an erasure works with. */
import { type Look, placesOf, WORKING_TABLES } from '#core/looking';

export type AccountColumn = { readonly table: string; readonly name: string };

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Every table of account by its exact name: what its records are made from, and what they hold. */
const ACCOUNTS: Readonly<Record<string, { from: string; columns: ReadonlySet<string> }>> = {
  consent_receipts: {
    from: 'consent',
    columns: words(`id kind subject purpose granted status given_at received_at expires_at
      notice_version notice_language notice_stated method signal overrules revision`),
  },
};

/** Whom an erasure removes, and what a search of the disk must find first. */
const WORKING: Readonly<Record<string, ReadonlySet<string>>> = {
  erasing: words('subject'),
  scan_controls: words('marker'),
};

/** Every column in the schema of the service, whatever kind of table stores it. */
export const accountColumns = (look: Look): Promise<AccountColumn[]> =>
  look.sql<AccountColumn[]>`
    select relname as table, attname as name
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where relnamespace = to_regnamespace(${placesOf(look).schema})
      and relkind in ('r', 'p', 'm', 'f') and attnum > 0 and not attisdropped
    order by relname, attnum`;

/** Those that no record of a declared type with a class and a purpose holds. */
export function strangeAccounts({ policy }: Look, columns: readonly AccountColumn[]): string[] {
  const labelled = new Set(
    Object.values(policy.data)
      .filter(({ categories, purposes }) => categories.length > 0 && purposes.length > 0)
      .map(({ from }) => from as string),
  );
  const isMapped = ({ table, name }: AccountColumn) => {
    const account = Object.hasOwn(ACCOUNTS, table) ? ACCOUNTS[table] : undefined;
    return account !== undefined && labelled.has(account.from) && account.columns.has(name);
  };
  return columns.filter((one) => !isMapped(one)).map(({ table, name }) => `${table}.${name}`);
}

/** Columns of the working tables in the event store that are none of theirs. */
export async function strangeWorking(look: Look): Promise<string[]> {
  const { active, archive } = placesOf(look);
  const columns = await look.query<AccountColumn>(
    `select table, name from system.columns
     where database in {databases:Array(String)} and table in {tables:Array(String)}
     order by table, position`,
    { databases: [active, archive], tables: [...WORKING_TABLES] },
  );
  const isTheirs = ({ table, name }: AccountColumn) => WORKING[table]?.has(name) === true;
  return columns.filter((one) => !isTheirs(one)).map(({ table, name }) => `${table}.${name}`);
}
