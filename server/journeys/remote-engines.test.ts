/** The server on engines of the operator's own: a PostgreSQL over TCP and a ClickHouse elsewhere. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '#platform/database';
import { openEvents } from '#platform/events';
import {
  type RemoteEngine,
  type RemotePostgres,
  startRemoteClickHouse,
  startRemotePostgres,
} from '#testing/engines-remote';
import { partOf, refusalOf, until } from '#testing/faults';
import { type RunningServer, startRunning } from '#testing/running';

const folder = mkdtempSync(join(tmpdir(), 'troth-far-'));
let postgres: RemotePostgres;
let clickhouse: RemoteEngine;
let server: RunningServer | undefined;
const env = () => ({
  TROTH_POSTGRES_URL:
    `${postgres.url}?sslmode=verify-full&sslrootcert=${postgres.authorityFile}`.replace(
      '127.0.0.1',
      'localhost',
    ),
  TROTH_CLICKHOUSE_URL: clickhouse.url,
});
const start = async (home = 'home') => {
  server = await startRunning({ folder: join(folder, home), env: env() });
  return server;
};

before(async () => {
  [postgres, clickhouse] = await Promise.all([
    startRemotePostgres({ tls: true }),
    startRemoteClickHouse(),
  ]);
});
after(async () => {
  await server?.stop();
  await Promise.all([postgres?.stop(), clickhouse?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const EVENTS = {
  clanker: { name: 'agent_command', properties: { tool: 'shell' } },
  loopkit: { name: 'feature_used', properties: { feature: 'export_data' } },
};

async function send(to: RunningServer, tenant: keyof typeof EVENTS, messageId: string) {
  const { name, properties } = EVENTS[tenant];
  const answer = await fetch(new URL(`/v1/t/${tenant}/batch`, to.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${to.writeKeys[tenant]}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      batch: [{ type: 'track', event: name, userId: 'ada', messageId, properties }],
    }),
  });
  const said = (await answer.json()) as { accepted?: number };
  assert.deepEqual([answer.status, said.accepted], [200, 1], JSON.stringify(said));
}

/** Rows of all tables of a tenant, asked of the engine itself. */
async function rowsOf(tenant: string): Promise<number> {
  const events = openEvents(clickhouse.url);
  try {
    const [row] = await events.query<{ rows: string }>(
      'select sum(rows) as rows from system.parts where active and database = {database:String}',
      { database: `tenant_${tenant}` },
    );
    return Number(row?.rows ?? 0);
  } finally {
    await events.close();
  }
}
const arrive = (tenant: string, rows: number) =>
  until(`${rows} rows of ${tenant}`, 15_000, async () => (await rowsOf(tenant)) === rows);

test('events of two services arrive in the operator’s engines, over TLS and without a superuser', async () => {
  const running = await start();
  assert.equal(partOf(running, 'postgres'), undefined, 'no engine of ours runs');
  assert.equal(partOf(running, 'clickhouse'), undefined);
  assert.equal(existsSync(join(running.dataDir, 'postgres')), false);
  for (const tenant of ['clanker', 'loopkit'] as const) await send(running, tenant, 'first');
  for (const tenant of ['clanker', 'loopkit']) await arrive(tenant, 1);
  const look = connect(postgres.superUrl, { max: 1 });
  const plain = await look`
    select 1 from pg_stat_activity join pg_stat_ssl using (pid)
    where usename in ('troth_owner', 'troth_app') and not ssl`;
  const supers = await look`select 1 from pg_roles where rolname like 'troth\\_%' and rolsuper
                            and rolname <> 'troth_super'`;
  await look.end();
  assert.deepEqual([plain.length, supers.length], [0, 0]);
});

test('after a restart the data is there, and a message that was stored is not stored again', async () => {
  await server?.stop();
  const running = await start();
  for (const tenant of ['clanker', 'loopkit'] as const) {
    await send(running, tenant, 'first');
    await send(running, tenant, 'second');
  }
  for (const tenant of ['clanker', 'loopkit']) await arrive(tenant, 2);
  await sleep(1_500);
  for (const tenant of ['clanker', 'loopkit']) assert.equal(await rowsOf(tenant), 2);
});

test('a fresh directory is refused the data of other keys, and a keyring is not made for it', async () => {
  await server?.stop();
  const said = await refusalOf({ folder: join(folder, 'stranger'), env: env() });
  assert.match(said, /^troth: The data is here, its keys are not: .*TROTH_POSTGRES_URL/);
  assert.equal(existsSync(join(folder, 'stranger', 'keys', 'keyring.sqlite')), false);
  // The right engines named, the same folder starts: nothing was spoilt by the refusal.
  await (await startRunning({ folder: join(folder, 'stranger') })).stop();
});

test('an engine that does not answer at start is named in a sentence', async () => {
  const nobody = 'postgresql://troth_owner:hunter2@127.0.0.1:1/troth';
  const given = { ...env(), TROTH_POSTGRES_URL: nobody };
  const said = await refusalOf({ folder: join(folder, 'alone'), env: given });
  assert.match(said, /^troth: .*127\.0\.0\.1:1 does not answer/);
  assert.doesNotMatch(said, /hunter2/);
});
