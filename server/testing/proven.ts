/**
 * A real server under real proofs, for tests that sabotage a control and see the proof fail.
 *
 * The engines run through; the server is started anew with edited source where a test wants one.
 * An edit is made while a module loads, in the server's process alone, through a hook of Node's
 * own: production code has no switch for it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { pathToFileURL } from 'node:url';
import type postgres from 'postgres';
import type { Finding, Wanted } from '#oversight/evidence';
import { connect, startPostgres } from '#platform/database';
import { type Events, openEvents, startClickHouse } from '#platform/events';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

/** In this file below `server/`, the first text becomes the second. It must be there once. */
export type Edit = readonly [file: string, from: string, to: string];

const SERVER = join(import.meta.dirname, '..');

/** The hook: plain JavaScript, since it is there before types are stripped. */
function hookWith(edits: readonly Edit[]): string {
  const table: Record<string, [string, string][]> = {};
  for (const [file, from, to] of edits) {
    const url = pathToFileURL(join(SERVER, file)).href;
    table[url] = [...(table[url] ?? []), [from, to]];
  }
  return `import { registerHooks } from 'node:module';
const table = ${JSON.stringify(table)};
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const edits = table[url];
    if (!edits) return loaded;
    let source = String(loaded.source);
    for (const [from, to] of edits) {
      if (source.split(from).length !== 2) {
        process.stderr.write('sabotage does not fit ' + url + ': ' + from + '\\n');
        process.exit(70);
      }
      source = source.replace(from, () => to);
    }
    return { ...loaded, source };
  },
});
`;
}

export type Proven = {
  readonly server: RunningServer;
  /** PostgreSQL as its owner. */
  readonly sql: postgres.Sql;
  readonly postgresUrl: string;
  readonly events: Events;
  readonly dataDir: string;
  /** Starts the server anew on the same data, with these edits in its source; none: as it is. */
  restart(edits?: readonly Edit[], env?: Record<string, string>): Promise<void>;
  /** Runs proofs as `troth prove` does. */
  prove(wanted: Wanted): Promise<Finding[]>;
  /** Every binding of the control, in every service, is found kept (but those named). */
  keeps(control: string, except?: readonly string[]): Promise<void>;
  /** Every binding of the control, in every service, is found broken (but those named). */
  breaks(control: string, except?: readonly string[]): Promise<void>;
};

type Opened = Proven & { close(): Promise<void> };

const told = ({ tenant, promises, state, saw }: Finding) =>
  `${tenant} ${promises.join(' ')} ${state}: ${saw}`;

async function openProven(): Promise<Opened> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'troth-p-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const given = { dataDir, runtimeDir: shortDirectory(join(folder, 'engines')), log: silentLog };
  const [database, engine] = await Promise.all([startPostgres(given), startClickHouse(given)]);
  stack.defer(() => Promise.all([database.stop(), engine.stop()]).then(() => undefined));
  const sql = connect(database.url, { max: 2 });
  stack.defer(() => sql.end({ timeout: 2 }));
  const events = stack.adopt(openEvents(engine.url), (open) => open.close());
  const urls = { TROTH_POSTGRES_URL: database.url, TROTH_CLICKHOUSE_URL: engine.url };
  let server: RunningServer | undefined;
  stack.defer(() => server?.stop());

  async function restart(edits: readonly Edit[] = [], env: Record<string, string> = {}) {
    await server?.stop();
    server = undefined;
    const hook = join(folder, 'hook.mjs');
    writeFileSync(hook, hookWith(edits));
    const options = edits.length > 0 ? { NODE_OPTIONS: `--import=${hook}` } : {};
    server = await startRunning({ folder, env: { ...urls, ...options, ...env } });
  }

  async function prove(wanted: Wanted): Promise<Finding[]> {
    if (!server) await restart();
    const running = server as RunningServer;
    const answer = await asOperator(running, '/v1/operator/prove', { body: wanted });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Finding);
  }

  /** A gap is no verdict: on a busy machine it may be one that came too late. It is asked again. */
  async function settled(control: string): Promise<Finding[]> {
    const findings = await prove({ control });
    for (const [at, { state, tenant, promises }] of findings.entries()) {
      const [promise] = promises;
      if (state !== 'gap' || promise === undefined) continue;
      const [again] = await prove({ tenant, promise });
      if (again) findings[at] = { ...again, promises };
    }
    return findings;
  }

  async function expect(state: Finding['state'], control: string, except: readonly string[]) {
    const findings = await settled(control);
    assert.ok(findings.length > 0, `no promise is bound to ${control}, or no proof is registered`);
    const judged = findings.filter(({ promises }) => !promises.some((id) => except.includes(id)));
    assert.deepEqual(judged.filter((finding) => finding.state !== state).map(told), []);
  }

  const close = stack.move();
  return {
    get server() {
      assert.ok(server, 'the server is not started');
      return server;
    },
    sql,
    postgresUrl: database.url,
    events,
    dataDir,
    restart,
    prove,
    keeps: (control, except = []) => expect('kept', control, except),
    breaks: (control, except = []) => expect('broken', control, except),
    close: () => close.disposeAsync(),
  };
}

/** Opens the engines before the file's first test and stops everything after the last. */
export function useProven(): Proven {
  let opened: Opened | undefined;
  before(async () => {
    opened = await openProven();
  });
  after(() => opened?.close());
  return new Proxy({} as Proven, {
    get(_, name) {
      if (!opened) throw new Error('it is open inside tests only');
      return Reflect.get(opened, name) as unknown;
    },
  });
}
