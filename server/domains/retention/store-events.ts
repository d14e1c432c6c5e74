/**
 * Rows of events by their age: counted, deleted, moved to the archive. The cut-off is handed in; no
 * statement here asks the engine what time it is.
 */
import type { EventTable } from '#core/tenancy';
import type { Events } from '#platform/events';

export type Place = Pick<EventTable, 'database' | 'table'>;

export type Age = { readonly rows: number; readonly oldest: Date | null };

const AT = '{database:Identifier}.{table:Identifier}';
const BEFORE = 'received_at < fromUnixTimestamp64Milli({before:Int64})';
/** What `expires` says of a row is the shorter of all limits that hold for it. */
const DUE = `((${BEFORE} and country not in {spared:Array(String)})
  or expires < fromUnixTimestamp({expiry:UInt32}))`;

const seconds = (date: Date) => Math.max(0, Math.floor(date.getTime() / 1_000));

const ageOf = (row: { rows: number; oldest: string } | undefined): Age => ({
  rows: row?.rows ?? 0,
  oldest: row && row.rows > 0 ? new Date(Number(row.oldest)) : null,
});

export const nameOf = ({ database, table }: Place): string => `${database}.${table}`;

/** Every table of these databases with its rows, by name; from what the engine knows anyway. */
export async function readTables(
  events: Events,
  databases: readonly string[],
): Promise<Map<string, number>> {
  const rows = await events.query<Place & { rows: number }>(
    `select database, name as table, toFloat64(ifNull(total_rows, 0)) as rows
     from system.tables
     where database in {databases:Array(String)}
     limit 10000`,
    { databases },
  );
  return new Map(rows.map((row) => [nameOf(row), row.rows]));
}

export const isThere = async (events: Events, place: Place): Promise<boolean> =>
  (await readTables(events, [place.database])).has(nameOf(place));

/** How many rows there are, and how old the oldest; from the parts' own figures. */
export async function readAge(events: Events, place: Place): Promise<Age> {
  const [row] = await events.query<{ rows: number; oldest: string }>(
    `select toFloat64(count()) as rows, toString(toUnixTimestamp64Milli(min(received_at))) as oldest
     from ${AT}`,
    { ...place },
  );
  return ageOf(row);
}

export type Due = {
  readonly before: Date;
  /** Rows that end before it, by the shorter limit of a region or a choice. */
  readonly expiry: Date;
  /** Countries whose rows end by their own expiry alone, which is later. */
  readonly spared: readonly string[];
};

const dueParams = (place: Place, { before, expiry, spared }: Due) => ({
  database: place.database,
  table: place.table,
  before: before.getTime(),
  expiry: seconds(expiry),
  spared,
});

export async function countDue(events: Events, place: Place, due: Due): Promise<number> {
  const [row] = await events.query<{ rows: number }>(
    `select toFloat64(count()) as rows from ${AT} where ${DUE}`,
    dueParams(place, due),
  );
  return row?.rows ?? 0;
}

/** The message numbers of rows that are due. */
export async function readDue(
  events: Events,
  place: Place,
  { limit, ...due }: Due & { limit: number },
): Promise<bigint[]> {
  const found = await events.query<{ message: string }>(
    `select toString(message) as message from ${AT} where ${DUE} limit {limit:UInt32}`,
    { ...dueParams(place, due), limit },
  );
  return found.map(({ message }) => BigInt(message));
}

/** Whole partitions go in a moment; only those that are due in part are rewritten. */
export async function deleteDue(events: Events, place: Place, due: Due): Promise<void> {
  const { database, table } = place;
  const whole = await events.query<{ id: string }>(
    `select _partition_id as id
     from ${AT}
     group by id
     having max(received_at) < fromUnixTimestamp64Milli({before:Int64})
       and countIf(country in {spared:Array(String)}) = 0
     limit 1000`,
    { database, table, before: due.before.getTime(), spared: due.spared },
  );
  for (const { id } of whole) {
    if (!/^[0-9A-Za-z-]{1,64}$/.test(id)) throw new TypeError('not a partition of ours');
    await events.command(`alter table ${AT} drop partition id '${id}'`, { database, table });
  }
  if ((await countDue(events, place, due)) === 0) return;
  await events.command(`alter table ${AT} delete where ${DUE}`, dueParams(place, due));
}

const PARAMS = (from: Place, to: Place, window: { from: Date; until: Date }) => ({
  database: from.database,
  table: from.table,
  toDatabase: to.database,
  toTable: to.table,
  from: window.from.getTime(),
  until: window.until.getTime(),
});
const IN = `received_at >= fromUnixTimestamp64Milli({from:Int64})
  and received_at < fromUnixTimestamp64Milli({until:Int64})`;
const TO = '{toDatabase:Identifier}.{toTable:Identifier}';
const MOVED = `(message, received_at, subject) in (
  select message, received_at, subject from ${TO} where ${IN})`;

const NAME = /^[a-z_][A-Za-z0-9_]{0,99}$/;

/** The columns of a table; none where there is no such table. */
export async function readColumns(events: Events, { database, table }: Place) {
  return events.query<{ name: string; type: string }>(
    `select name, type
     from system.columns
     where database = {database:String} and table = {table:String}
     order by position`,
    { database, table },
  );
}

/** Makes the archive's table like the active one, or gives it the columns that it lacks. */
export async function prepareArchive(events: Events, from: Place, to: Place): Promise<void> {
  // The engine binds no names here; they are ours, from the policy's own alphabet.
  const named = [to.database, to.table, from.database, from.table];
  for (const name of named) if (!NAME.test(name)) throw new TypeError('not a name of ours');
  await events.command(`create database if not exists \`${to.database}\``);
  await events.command(
    `create table if not exists \`${to.database}\`.\`${to.table}\`
     as \`${from.database}\`.\`${from.table}\``,
  );
  const there = new Set((await readColumns(events, to)).map(({ name }) => name));
  for (const { name, type } of await readColumns(events, from)) {
    if (there.has(name)) continue;
    if (!NAME.test(name)) throw new TypeError('not a column of ours');
    await events.command(`alter table ${AT} add column if not exists \`${name}\` ${type}`, {
      database: to.database,
      table: to.table,
    });
  }
}

/**
 * Copies what the archive does not have yet. A copy that was cut off is carried on by the next one:
 * what is there already is left out.
 *
 * @returns how many rows of the window the archive has afterwards.
 */
export async function copyRows(
  events: Events,
  places: { from: Place; to: Place },
  window: { from: Date; until: Date },
): Promise<number> {
  const params = PARAMS(places.from, places.to, window);
  const columns = (await readColumns(events, places.from)).map(({ name }) => {
    if (!NAME.test(name)) throw new TypeError('not a column of ours');
    return `\`${name}\``;
  });
  const list = columns.join(', ');
  await events.command(
    `insert into ${TO} (${list})
     select ${list} from ${AT} where ${IN} and not ${MOVED}`,
    params,
  );
  const [row] = await events.query<{ rows: number }>(
    `select toFloat64(count()) as rows from ${AT} where ${IN} and ${MOVED}`,
    params,
  );
  return row?.rows ?? 0;
}

/** Deletes the active copies of rows that stand in the archive. */
export async function deleteCopied(
  events: Events,
  places: { from: Place; to: Place },
  window: { from: Date; until: Date },
): Promise<void> {
  await events.command(
    `alter table ${AT} delete where ${IN} and ${MOVED}`,
    PARAMS(places.from, places.to, window),
  );
}

/** Countries that rows of a table are from. */
export async function countriesIn(events: Events, place: Place): Promise<string[]> {
  const rows = await events.query<{ country: string }>(
    `select distinct country from ${AT} limit 1000`,
    { ...place },
  );
  return rows.map(({ country }) => country);
}

/** Writes anew when rows of these countries end, after a customer chose another life for them. */
export async function writeExpiry(
  events: Events,
  place: Place,
  lives: { countries: readonly string[]; seconds: readonly number[] },
): Promise<void> {
  // The engine's last second, for what would end after it.
  const life =
    'transform(country, {countries:Array(String)}, {seconds:Array(UInt32)}, toUInt32(0))';
  await events.command(
    `alter table ${AT}
     update expires = toDateTime(least(toUnixTimestamp64Milli(received_at) / 1000 + ${life},
                                       4294967295), 'UTC')
     where country in {countries:Array(String)}`,
    { ...place, ...lives },
  );
}

/** Rows of an archive in a window (milliseconds since 1970), newest first. */
export async function readRows(
  events: Events,
  place: Place,
  { columns, ...asked }: { columns: string; from: number; until: number; limit: number },
): Promise<Record<string, unknown>[]> {
  return events.query<Record<string, unknown>>(
    `select ${columns}
     from ${AT}
     where ${IN}
     order by received_at desc
     limit {limit:UInt32}`,
    { ...place, ...asked },
  );
}

/** A row from an earlier time, as a proof plants it. It never ends by its expiry, only by its age. */
export async function insertAged(events: Events, place: Place, row: AgedValues): Promise<void> {
  const fields = Object.entries(row.values);
  for (const [name] of fields) if (!NAME.test(name)) throw new TypeError('not a column of ours');
  const names = fields.map(([name]) => `, \`${name}\``).join('');
  const values = fields.map((_, at) => `cast({v${at}:String}, {t${at}:String})`);
  await events.command(
    `insert into ${AT}
       (received_at, event_at, name, country, subject, message, expires${names})
     select fromUnixTimestamp64Milli({at:Int64}), fromUnixTimestamp64Milli({at:Int64}),
            {name:String}, {country:String},
            unhex({subject:String}), {message:UInt64}, toDateTime(4294967295, 'UTC')
            ${values.map((value) => `, ${value}`).join('')}`,
    {
      database: place.database,
      table: place.table,
      at: row.receivedAt.getTime(),
      name: row.name,
      country: row.country,
      subject: row.subject,
      message: row.message.toString(),
      ...Object.fromEntries(
        fields.flatMap(([, { value, type }], at) => [
          [`v${at}`, value],
          [`t${at}`, type],
        ]),
      ),
    },
  );
}

export type Values = Readonly<Record<string, { readonly value: string; readonly type: string }>>;

type AgedValues = {
  readonly receivedAt: Date;
  readonly name: string;
  readonly country: string;
  readonly subject: string;
  readonly message: bigint;
  readonly values: Values;
};
