/**
 * What a policy compiles to in the two engines: statements that may be run again.
 *
 * Only wider, never narrower: a table or column that the policy no longer declares is not dropped,
 * because batches encoded under the revision before may still be on their way. Nothing new enters
 * it, and its rows leave by their own expiry.
 */
import type { Policy } from '@troth/policy-language';
import type { TenantId } from '#base/ids';
import { TABLE_SETTINGS_CLAUSE } from '#platform/events';
import { type Column, type EventTable, eventTablesOf } from './columns.ts';
import { tenancyProblem } from './errors.ts';
import { eventsDatabaseOf } from './naming.ts';

export type Statement = {
  readonly engine: 'postgres' | 'clickhouse';
  readonly statement: string;
};

const clickhouse = (statement: string): Statement => ({ engine: 'clickhouse', statement });

const columnText = ({ name, type, codec }: Column) =>
  `\`${name}\` ${type}${codec === null ? '' : ` codec(${codec})`}`;

const nameOf = ({ database, table }: EventTable) => `\`${database}\`.\`${table}\``;

function createTable(given: EventTable): string {
  const columns = given.columns.map((column) => `  ${columnText(column)}`).join(',\n');
  return [
    `create table if not exists ${nameOf(given)} (`,
    columns,
    ')',
    'engine = MergeTree',
    `partition by ${given.partitionBy}`,
    `order by ${given.orderBy}`,
    'ttl expires delete',
    // On the table, so that a server of the operator's own keeps the promises too.
    TABLE_SETTINGS_CLAUSE,
  ].join('\n');
}

/** @throws Problem field-type-changed: the stored bytes would be read as something else. */
function addColumns(before: EventTable, now: EventTable): string[] {
  const had = new Map(before.columns.map((column) => [column.name, column]));
  const changed = now.columns.find(
    ({ name, type }) => had.has(name) && had.get(name)?.type !== type,
  );
  if (changed) {
    throw tenancyProblem(
      'field-type-changed',
      `${now.dataType} stores ${changed.name} as another type. Declare a new field name.`,
    );
  }
  return now.columns
    .filter(({ name }) => !had.has(name))
    .map(
      (column) =>
        `alter table ${nameOf(now)} add column if not exists ${columnText(column)} after \`mode\``,
    );
}

/** The tables of the policy in force, if there is one, by name. */
const tablesUnder = (tenant: TenantId, current: Policy | undefined) =>
  new Map((current ? eventTablesOf(tenant, current) : []).map((table) => [table.table, table]));

/**
 * What must exist before a row of `next` can be written.
 *
 * @param current  the policy in force, if there is one.
 * @throws Problem field-type-changed.
 */
export function expandEvents(
  tenant: TenantId,
  current: Policy | undefined,
  next: Policy,
): Statement[] {
  const before = tablesUnder(tenant, current);
  const tables = eventTablesOf(tenant, next).flatMap((table) => {
    const had = before.get(table.table);
    // Created even when the current policy has it: a table that an operator lost comes back.
    return [createTable(table), ...(had ? addColumns(had, table) : [])];
  });
  return [`create database if not exists \`${eventsDatabaseOf(tenant)}\``, ...tables].map(
    clickhouse,
  );
}

/** A shorter limit binds the rows that are already there; a longer one never revives a promise. */
export function contractEvents(
  tenant: TenantId,
  current: Policy | undefined,
  next: Policy,
): Statement[] {
  const before = tablesUnder(tenant, current);
  return eventTablesOf(tenant, next).flatMap((table) => {
    const had = before.get(table.table);
    const { retainSeconds } = table;
    if (!had || retainSeconds === null) return [];
    if (had.retainSeconds !== null && had.retainSeconds <= retainSeconds) return [];
    const limit = `toDateTime(received_at, 'UTC') + toIntervalSecond(${retainSeconds})`;
    return [
      clickhouse(
        `alter table ${nameOf(table)} update expires = least(expires, ${limit}) where 1 settings mutations_sync = 0`,
      ),
    ];
  });
}
