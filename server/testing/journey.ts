/**
 * What a journey needs: a real server with an engine that the test may ask by itself, calls as a
 * service's clients make them, and the answers that an operator sees.
 */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEvents, startClickHouse } from '#platform/events';
import { silentLog } from '#platform/log';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

type DataMap = { types: { id: string; title: string; rows: number | null }[] };
type Pipeline = {
  received: number;
  accepted: number;
  drops: { reason: string; events: number; says: string }[];
};
export type Answer = {
  status: number;
  accepted?: number;
  code?: string;
  dropped?: Record<string, number>;
  refused?: { index: number; code: string; detail: string }[];
};
export type Row = Record<string, unknown>;
type Headers = Record<string, string>;

export class Journey {
  readonly server: RunningServer;
  readonly tenant: string;
  readonly #query: <T>(sql: string) => Promise<T[]>;
  readonly #end: () => Promise<void>;

  constructor(
    server: RunningServer,
    tenant: string,
    query: <T>(sql: string) => Promise<T[]>,
    end: () => Promise<void>,
  ) {
    this.server = server;
    this.tenant = tenant;
    this.#query = query;
    this.#end = end;
  }

  get key(): string {
    return this.server.writeKeys[this.tenant] ?? '';
  }

  /** What stands in a page. */
  get browserKey(): string {
    return this.server.browserKeys[this.tenant] ?? '';
  }

  /** A call of a client, with the service's write key as a Bearer token unless told otherwise. */
  async call(path: string, body: unknown, headers: Headers = {}, method = 'POST') {
    const answer = await fetch(new URL(path, this.server.url), {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return { ...((await answer.json()) as object), status: answer.status } as Answer & Row;
  }

  batch(batch: readonly object[], headers?: Headers): Promise<Answer> {
    return this.call(`/v1/t/${this.tenant}/batch`, { batch }, headers);
  }

  /** What the operator is answered below `/v1/t/<tenant>/`. */
  async asOperator<Body>(path: string, body?: object): Promise<Body> {
    const method = body ? 'PUT' : 'GET';
    const answer = await asOperator(this.server, `/v1/t/${this.tenant}/${path}`, { method, body });
    assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
    return (await answer.json()) as Body;
  }

  async drops(): Promise<Record<string, number>> {
    const { drops } = await this.asOperator<Pipeline>('pipeline');
    return Object.fromEntries(drops.map(({ reason, events }) => [reason, events]));
  }

  /** The rows of a table, asked of the engine itself, once at least so many have been moved. */
  async rows(table: string, atLeast: number): Promise<Row[]> {
    const sql = `select * from tenant_${this.tenant}.${table} order by received_at`;
    for (const end = Date.now() + 10_000; ; await sleep(200)) {
      const rows = await this.#query<Row>(sql);
      if (rows.length >= atLeast || Date.now() > end) return rows;
    }
  }

  /** What the data map says, once it counts so many rows of a type or ten seconds are over. */
  async counted(type: string, atLeast: number): Promise<number> {
    for (const end = Date.now() + 10_000; ; await sleep(200)) {
      const { types } = await this.asOperator<DataMap>('data-map');
      const rows = types.find(({ id }) => id === type)?.rows ?? 0;
      if (rows >= atLeast || Date.now() > end) return rows;
    }
  }

  /** Files below the server's directories, keys and logs included, that hold this text. */
  filesWith(text: string): string[] {
    return filesWith(this.server.folder, text);
  }

  stop(): Promise<void> {
    return this.#end();
  }
}

/** Files below a directory of a running server that hold this text. */
export const filesWith = (directory: string, text: string): string[] =>
  globSync('**/*', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => bytesOf(file).includes(text));

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0); // An engine removed it between the listing and the look.
  }
}

/** Starts a server for one file of journeys; its ClickHouse is the packaged one, started here. */
export async function startJourney(tenant: string): Promise<Journey> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'troth-j-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const places = { dataDir: join(folder, 'data'), runtimeDir: join(folder, 'r') };
    const engine = await startClickHouse({ ...places, log: silentLog });
    stack.defer(() => engine.stop());
    const events = stack.adopt(openEvents(engine.url), (open) => open.close());
    const server = await startRunning({ folder, env: { TROTH_CLICKHOUSE_URL: engine.url } });
    stack.defer(() => server.stop());
    const query = <T>(sql: string) => events.query<T>(sql, {});
    return new Journey(server, tenant, query, () => stack.disposeAsync());
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
