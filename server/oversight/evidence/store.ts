import type { Counted, RowCounter, ServiceInForce } from './model.ts';

/** The part of the event store that counting needs; parameters are bound by the engine. */
export type EventQueries = {
  query<Row>(sql: string, params?: Record<string, unknown>): Promise<Row[]>;
};

const TABLES_MAX = 500;

const databaseOf = (tenant: string) => `tenant_${tenant.replaceAll('-', '_')}`;

async function tablesThere(events: EventQueries, database: string): Promise<Set<string>> {
  const rows = await events.query<{ name: string }>(
    `select name
     from system.tables
     where database = {database:String}
     limit ${TABLES_MAX}`,
    { database },
  );
  return new Set(rows.map(({ name }) => name));
}

type CountRow = { type: string; rows: string | number; oldest: string | number };

/**
 * Counts the rows of every event table of a service, and finds the oldest, in one query.
 *
 * Both figures come from the parts' own metadata (`received_at` is the partition key), so the cost
 * does not grow with the rows. The age is that of the server's clock at receipt, never a client's.
 */
export function eventRowCounter(events: EventQueries): RowCounter {
  return async ({ tenant, policy }: ServiceInForce) => {
    const database = databaseOf(tenant);
    const there = await tablesThere(events, database);
    const types = Object.values(policy.compiled.data).filter(({ table }) => there.has(table));
    if (types.length === 0) return new Map<string, Counted>();
    const params: Record<string, unknown> = { database };
    const parts = types.map(({ id, table }, at) => {
      params[`type${at}`] = id;
      params[`table${at}`] = table;
      return `select {type${at}:String} as type, count() as rows,
                     toUnixTimestamp64Milli(min(received_at)) as oldest
              from {database:Identifier}.{table${at}:Identifier}`;
    });
    const rows = await events.query<CountRow>(parts.join('\nunion all\n'), params);
    return new Map(rows.map((row) => [row.type, countedFrom(row)]));
  };
}

function countedFrom(row: CountRow): Counted {
  const rows = Number(row.rows);
  return { rows, oldestAt: rows > 0 ? new Date(Number(row.oldest)) : null, store: 'clickhouse' };
}
