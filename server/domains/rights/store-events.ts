/**
 * A person's rows in ClickHouse: counted, deleted, and off the disk.
 *
 * A delete here rewrites parts, at the same cost for one person as for a thousand, and leaves its
 * own text in a file of the table for a while. So the people are named in a table of their own,
 * which is emptied afterwards, and never in the statement.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { SubjectId, type TenantId } from '#base/ids';
import { archiveDatabaseOf, eventsDatabaseOf } from '#core/tenancy';
import type { Events } from '#platform/events';
import type { ErasureStore } from './model.ts';

const NAMED_IN = 'erasing';
const CONTROLS = 'scan_controls';
const AWAY_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;
const ROWS_EACH = 20;
const ROWS_MAX = 4_000;

/** Small, unpressed, and cleaned up within a second. */
const SETTINGS = `settings fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 1,
  cleanup_delay_period = 1, cleanup_delay_period_random_add = 0, max_cleanup_delay_period = 1`;

type Table = { readonly database: string; readonly table: string };
type Place = { database: string; table: string; named: string; list: string };

const tablesOf = (events: Events, tenant: TenantId) =>
  events.query<Table>(
    `select database, table
     from system.columns
     where database in {databases:Array(String)} and name = 'subject' and table != {list:String}
     order by database, table
     limit 2000`,
    { databases: [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)], list: NAMED_IN },
  );

/** Names these people for the length of `work`; afterwards nothing of the list is left. */
async function named<T>(
  events: Events,
  { tenant, subjects }: { tenant: TenantId; subjects: readonly SubjectId[] },
  work: () => Promise<T>,
): Promise<T> {
  const at = { database: eventsDatabaseOf(tenant), table: NAMED_IN };
  await events.command(
    `create table if not exists {database:Identifier}.{table:Identifier}
       (subject FixedString(16) codec(NONE))
     engine = MergeTree order by tuple() ${SETTINGS}`,
    at,
  );
  const empty = () =>
    events.command('truncate table {database:Identifier}.{table:Identifier} sync', at);
  await empty();
  const rows = Buffer.concat(subjects.map((subject) => Buffer.from(subject, 'hex')));
  try {
    await events.insert({ ...at, columns: ['subject'], rows, format: 'RowBinary' });
    return await work();
  } finally {
    await empty();
  }
}

const placeOf = (tenant: TenantId, { database, table }: Table): Place => ({
  database,
  table,
  named: eventsDatabaseOf(tenant),
  list: NAMED_IN,
});

const AMONG = 'subject in (select subject from {named:Identifier}.{list:Identifier})';

/** Rows that are still being deleted by a statement whose answer was lost. */
async function settled(events: Events, { database, table }: Table): Promise<void> {
  for (let waited = 0; waited < AWAY_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const [open] = await events.query<{ mutations: number }>(
      `select toFloat64(count()) as mutations
       from system.mutations
       where database = {database:String} and table = {table:String} and not is_done`,
      { database, table },
    );
    if (!open?.mutations) return;
    await wait(LOOK_EVERY_MS);
  }
}

/** Parts that a delete has replaced are files until the engine clears them away. */
async function oldPartsGone(events: Events, tenant: TenantId): Promise<void> {
  for (let waited = 0; waited < AWAY_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const [old] = await events.query<{ parts: number }>(
      `select toFloat64(count()) as parts
       from system.parts
       where database in {databases:Array(String)} and not active`,
      { databases: [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)] },
    );
    if (!old?.parts) return;
    await wait(LOOK_EVERY_MS);
  }
}

export type EventsStore = ErasureStore & {
  /** Some of their latest rows, as message (8 bytes) and time of receipt (8 bytes). */
  rowsOf(tenant: TenantId, subjects: readonly SubjectId[]): Promise<Map<SubjectId, Buffer[]>>;
  /** Writes what a search must find in this service's files. */
  plant(tenant: TenantId, marker: string): Promise<void>;
};

async function countRows(events: Events, tenant: TenantId) {
  const counts = new Map<string, Map<SubjectId, number>>();
  for (const table of await tablesOf(events, tenant)) {
    // Named otherwise than the column: an alias would stand for it in the condition.
    const rows = await events.query<{ person: string; rows: number }>(
      `select lower(hex(subject)) as person, toFloat64(count()) as rows
       from {database:Identifier}.{table:Identifier}
       where ${AMONG}
       group by person`,
      placeOf(tenant, table),
    );
    const place = `${table.database}.${table.table}`;
    counts.set(place, new Map(rows.map((row) => [SubjectId(row.person), row.rows])));
  }
  return counts;
}

async function deleteRows(events: Events, tenant: TenantId): Promise<void> {
  const counts = await countRows(events, tenant);
  for (const table of await tablesOf(events, tenant)) {
    if (!counts.get(`${table.database}.${table.table}`)?.size) continue;
    await settled(events, table);
    await events.command(
      `alter table {database:Identifier}.{table:Identifier} delete where ${AMONG}`,
      placeOf(tenant, table),
    );
  }
}

async function someRows(events: Events, tenant: TenantId): Promise<Map<SubjectId, Buffer[]>> {
  const found = new Map<SubjectId, Buffer[]>();
  let left = ROWS_MAX;
  for (const table of await tablesOf(events, tenant)) {
    const rows = await events.query<{ person: string; message: string; at: string }>(
      `select lower(hex(subject)) as person, toString(message) as message,
              toString(toUnixTimestamp64Milli(received_at)) as at
       from {database:Identifier}.{table:Identifier}
       where ${AMONG}
       order by received_at desc
       limit ${ROWS_EACH} by subject
       limit {left:UInt32}`,
      { ...placeOf(tenant, table), left },
    );
    left -= rows.length;
    for (const { person, message, at } of rows) {
      const bytes = Buffer.alloc(16);
      bytes.writeBigUInt64LE(BigInt(message), 0);
      bytes.writeBigInt64LE(BigInt(at), 8);
      const subject = SubjectId(person);
      found.set(subject, [...(found.get(subject) ?? []), bytes]);
    }
    if (left <= 0) break;
  }
  return found;
}

/** Every table of the engine with a subject, also one that the policy no longer declares. */
export function eventsStore(events: Events): EventsStore {
  return {
    name: 'clickhouse',
    count: (tenant, subjects) =>
      named(events, { tenant, subjects }, () => countRows(events, tenant)),
    async erase(tenant, subjects) {
      await named(events, { tenant, subjects }, () => deleteRows(events, tenant));
      await oldPartsGone(events, tenant);
    },
    rowsOf: (tenant, subjects) =>
      named(events, { tenant, subjects }, () => someRows(events, tenant)),
    async plant(tenant, marker) {
      const at = { database: eventsDatabaseOf(tenant), table: CONTROLS };
      await events.command(
        `create table if not exists {database:Identifier}.{table:Identifier}
           (marker String codec(NONE))
         engine = MergeTree order by tuple() ${SETTINGS}`,
        at,
      );
      await events.command('truncate table {database:Identifier}.{table:Identifier} sync', at);
      await events.insert({
        ...at,
        columns: ['marker'],
        rows: [{ marker }],
        format: 'JSONEachRow',
      });
    },
  };
}
