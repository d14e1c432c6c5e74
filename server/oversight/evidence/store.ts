import type { TenantId } from '#base/ids';
import type { Counted, RowCounter, ServiceInForce } from './model.ts';

/** The part of the event store that counting needs; parameters are bound by the engine. */
export type EventQueries = {
  query<Row>(sql: string, params?: Record<string, unknown>): Promise<Row[]>;
};

const TABLES_MAX = 500;
/** Counts until no canary was named meanwhile: one takes milliseconds. */
const COUNTS_MAX = 5;

/** A service's events, and what has left the active tier. */
const databasesOf = (tenant: string) =>
  ['tenant', 'archive'].map((tier) => `${tier}_${tenant.replaceAll('-', '_')}`);

type There = { database: string; table: string };

async function tablesThere(events: EventQueries, databases: string[]): Promise<There[]> {
  return events.query<There>(
    `select database, name as table
     from system.tables
     where database in {databases:Array(String)}
     limit ${TABLES_MAX}`,
    { databases },
  );
}

export type RowSources = {
  readonly events: EventQueries;
  /** The messages of canaries that may stand in the tables of a service now. */
  readonly canaries: (tenant: TenantId) => Promise<readonly bigint[]>;
};

type CountRow = { type: string; rows: string | number; oldest: string | number };

/**
 * Counts the rows of every event table of a service, archived ones too, and finds the oldest, in
 * one query.
 *
 * Both figures come from the parts' own metadata (`received_at` is the partition key), so the cost
 * does not grow with the rows; while proofs run, and for minutes after, their canaries are passed
 * by, which reads a column. The age is that of the server's clock at receipt, never a client's.
 */
export function eventRowCounter({ events, canaries }: RowSources): RowCounter {
  return async ({ tenant, policy }: ServiceInForce) => {
    const there = await tablesThere(events, databasesOf(tenant));
    const types = new Map(Object.values(policy.compiled.data).map(({ id, table }) => [table, id]));
    const declared = there.filter(({ table }) => types.has(table));
    if (declared.length === 0) return new Map<string, Counted>();
    const count = (messages: readonly bigint[]) => {
      const params: Record<string, unknown> = { messages };
      const real = messages.length > 0 ? 'where message not in {messages:Array(UInt64)}' : '';
      const parts = declared.map(({ database, table }, at) => {
        params[`type${at}`] = types.get(table);
        params[`database${at}`] = database;
        params[`table${at}`] = table;
        return `select {type${at}:String} as type, count() as rows,
                       toUnixTimestamp64Milli(min(received_at)) as oldest
                from {database${at}:Identifier}.{table${at}:Identifier} ${real}`;
      });
      return events.query<CountRow>(parts.join('\nunion all\n'), params);
    };
    const rows = await countPast(() => canaries(tenant), count);
    const counted = new Map<string, Counted>();
    for (const row of rows) counted.set(row.type, sumOf(counted.get(row.type), countedFrom(row)));
    return counted;
  };
}

/** Counts again where a canary was named while it was counted: its row may be among the others. */
async function countPast<Rows>(
  named: () => Promise<readonly bigint[]>,
  count: (past: readonly bigint[]) => Promise<Rows>,
): Promise<Rows> {
  let past = new Set(await named());
  for (let counts = 1; ; counts++) {
    const counted = await count([...past]);
    const now = new Set(await named());
    if (now.isSubsetOf(past) || counts === COUNTS_MAX) return counted;
    past = past.union(now);
  }
}

const sumOf = (one: Counted | undefined, other: Counted): Counted => {
  if (!one) return other;
  const times = [one.oldestAt, other.oldestAt].filter((at) => at !== null);
  const oldest = Math.min(...times.map((at) => at.getTime()));
  return { ...one, rows: one.rows + other.rows, oldestAt: times.length ? new Date(oldest) : null };
};

function countedFrom(row: CountRow): Counted {
  const rows = Number(row.rows);
  return { rows, oldestAt: rows > 0 ? new Date(Number(row.oldest)) : null, store: 'clickhouse' };
}
