import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { eventsProblem } from './errors.ts';

/**
 * What a statement means must not depend on whose server it is sent to, so these travel with each:
 * an insert is answered when it is stored and a delete when the rows are gone, and no log of the
 * engine keeps the text of a statement.
 */
export const MEANING = {
  async_insert: 0,
  mutations_sync: '2',
  log_queries: 0,
  send_logs_level: 'none',
  wait_end_of_query: 0,
  date_time_output_format: 'iso',
} as const;

const NAME = /^[a-z_][A-Za-z0-9_]{0,99}$/;

export type Insertion = {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Rows already encoded as RowBinary, or objects for JSONEachRow. */
  readonly rows: Buffer | readonly Buffer[] | readonly object[];
  readonly format: 'RowBinary' | 'JSONEachRow';
  /** Names the batch: the same token twice in a row of inserts is stored once. */
  readonly token?: string;
};

export type Events = {
  /** @throws Problem events-unavailable, events-refused. */
  query<Row>(sql: string, params?: Record<string, unknown>): Promise<Row[]>;
  command(sql: string, params?: Record<string, unknown>): Promise<void>;
  /** Resolves when the rows are durable. */
  insert(insertion: Insertion): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
};

const SPACE_RETRY_SECONDS = 10;
/** NOT_ENOUGH_SPACE; and what the system said, which comes under the code of whatever was written. */
const isFull = ({ code, message }: ClickHouseError) =>
  code === '243' || /No space left on device/i.test(message);

/** The engine's code travels on; its message does not, because it may quote a value. */
function problemOf(error: unknown): Error {
  if (error instanceof ClickHouseError) {
    if (isFull(error)) {
      return eventsProblem('events-unavailable', 'the event store has no room to write', {
        retryAfterSeconds: SPACE_RETRY_SECONDS,
      });
    }
    return eventsProblem('events-refused', `code ${error.code} (${error.type ?? 'unknown'})`, {
      engineCode: Number(error.code),
    });
  }
  return eventsProblem('events-unavailable', 'no answer from the event store', {
    retryAfterSeconds: 1,
  });
}

/** Turns what the engine or the network threw into a problem without its words. */
export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw problemOf(error);
  }
}

function quoted(...names: readonly string[]): string {
  for (const name of names) if (!NAME.test(name)) throw new TypeError('not a name of ours');
  return names.map((name) => `\`${name}\``).join(', ');
}

async function insert(client: ClickHouseClient, given: Insertion): Promise<void> {
  const { database, table, columns, rows, format, token } = given;
  const target = `${quoted(database)}.${quoted(table)} (${quoted(...columns)})`;
  const settings = token === undefined ? {} : { insert_deduplication_token: token };
  const lines = (list: readonly object[]) =>
    Buffer.from(list.map((row) => JSON.stringify(row)).join('\n'));
  const chunks = Buffer.isBuffer(rows)
    ? [rows]
    : Buffer.isBuffer(rows[0])
      ? (rows as readonly Buffer[])
      : [lines(rows)];
  const answer = await client.exec({
    query: `insert into ${target} format ${format}`,
    values: Readable.from(chunks, { objectMode: false }),
    clickhouse_settings: settings,
  });
  answer.stream.resume();
}

/**
 * Opens a client for the server at `url` (http or https, with user and password). Nothing is sent
 * before the first call; each call ends within `timeoutMs`.
 */
export function openEvents(url: string, { timeoutMs = 60_000, connectionsMax = 16 } = {}): Events {
  const client = createClient({
    url,
    request_timeout: timeoutMs,
    max_open_connections: connectionsMax,
    compression: { request: false, response: false },
    clickhouse_settings: MEANING,
    log: { level: 127 as never },
  });
  return {
    query: <Row>(query: string, params: Record<string, unknown> = {}) =>
      asked(async () => {
        const answer = await client.query({ query, query_params: params, format: 'JSONEachRow' });
        return answer.json<Row>();
      }),
    command: (query, params = {}) =>
      asked(async () => {
        await client.command({ query, query_params: params });
      }),
    insert: (insertion) => asked(() => insert(client, insertion)),
    ping: () =>
      asked(async () => {
        await client.command({ query: 'select 1 format Null' });
      }),
    close: () => client.close(),
  };
}
