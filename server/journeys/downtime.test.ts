/**
 * A server that was away for long: what came due meanwhile is done before it says that it is ready.
 * Time is moved in what is stored: a key that is too old, one that is due, a row past its limit.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Events, openEvents, startClickHouse } from '#platform/events';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import type { Stop } from '#testing/stopping-server';

const ROOT = join(import.meta.dirname, '..', '..');
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'troth-away-'));
const program = 'server/testing/stopping-server.ts';
const stack = new AsyncDisposableStack();
let events: Events;
let env: Record<string, string>;
let server: RunningServer;

before(async () => {
  const policies = join(folder, 'policies');
  mkdirSync(policies);
  for (const name of ['clanker.yaml', 'clanker.md']) {
    cpSync(join(ROOT, 'policies', name), join(policies, name));
  }
  const dataDir = join(folder, 'data');
  const given = { dataDir, runtimeDir: shortDirectory(join(folder, 'engines')), log: silentLog };
  const engine = await startClickHouse(given);
  stack.defer(() => engine.stop());
  events = stack.adopt(openEvents(engine.url), (open) => open.close());
  env = { TROTH_CLICKHOUSE_URL: engine.url, TROTH_POLICIES_DIR: policies };
  server = await startRunning({ folder, env, program });
});
after(async () => {
  await server?.stop();
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

async function ask<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await asOperator(server, path, { method, body });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return (await answer.json()) as Body;
}

async function send(userId: string, count: number): Promise<void> {
  const event = { event: 'agent_command', properties: { tool: 'shell', outcome: 'done' } };
  const batch = Array.from({ length: count }, () => ({ type: 'track', userId, ...event }));
  const answer = await fetch(new URL('/v1/t/clanker/batch', server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.writeKeys['clanker']}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200);
}

const numberOf = async (what: string) => {
  const [row] = await events.query<{ n: string }>(`select count() as n from ${what}`);
  return Number(row?.n);
};

async function rowsAre(count: number): Promise<void> {
  for (
    const end = Date.now() + 20_000;
    (await numberOf('tenant_clanker.agent_commands')) !== count;
  ) {
    assert.ok(Date.now() < end, `not ${count} rows in time`);
    await sleep(200);
  }
}

/** The keyring's own file, while nobody has it open. */
function inKeyring<T>(work: (keyring: DatabaseSync) => T): T {
  const keyring = new DatabaseSync(join(server.keyringDir, 'keyring.sqlite'));
  try {
    return work(keyring);
  } finally {
    keyring.close();
  }
}

test('keys that grew too old, and keys that were due, are gone before the server is ready', async () => {
  await send('ada', 3);
  await server.stop();
  const dueBefore = 2_500;
  inKeyring((keyring) => {
    const month = Date.now() - 40 * DAY_MS;
    keyring.prepare("update meta set value = ? where name = 'epoch_at'").run(month);
    // More than the keeper takes in one call.
    const [like] = keyring
      .prepare("select * from named_keys where name like 'pseudonym/%' limit 1")
      .all() as Record<string, string | number | Uint8Array>[];
    assert.ok(like);
    const columns = Object.keys(like);
    const insert = keyring.prepare(
      `insert into named_keys (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    );
    keyring.exec('begin');
    for (let n = 0; n < dueBefore; n++) {
      const row = { ...like, name: `pseudonym/${n}`, destroy_at: Date.now() - DAY_MS };
      insert.run(...columns.map((name) => (row as typeof like)[name] ?? null));
    }
    keyring.exec('commit');
  });
  server = await startRunning({ folder, env, program });
  const status = await ask<{ epoch: number; ageDays: number; rotating: boolean }>(
    'GET',
    '/v1/operator/keys/status',
  );
  assert.deepEqual([status.epoch, status.rotating], [2, false]);
  assert.ok(status.ageDays < 1);
  await server.stop();
  const due = "select count(*) as n from named_keys where destroy_at < ? and tenant = 'clanker'";
  const left = inKeyring((keyring) => keyring.prepare(due).get(Date.now())?.['n']);
  assert.equal(left, 0);
  server = await startRunning({ folder, env, program });
});

test('a row past its limit is gone before the server is ready, whatever the engine’s own expiry', async () => {
  await rowsAre(3);
  await server.stop();
  await events.command(
    `insert into tenant_clanker.agent_commands
     select * replace (now() - interval 91 day as received_at, toUInt32(now()) + 864000 as expires,
                       message + 1 as message)
     from tenant_clanker.agent_commands limit 2`,
  );
  await rowsAre(5);
  server = await startRunning({ folder, env, program });
  assert.equal(await numberOf('tenant_clanker.agent_commands'), 3);
});

test('an erasure that was cut off is where nobody can read the person before the server is ready', async () => {
  const person = `bob-${randomBytes(6).toString('hex')}`;
  await send(person, 4);
  const armed = once(server.child, 'message');
  const stop: Stop = { after: 'recorded', times: 1 };
  server.child.send(stop);
  await armed;
  const handle = { kind: 'user', value: person };
  await assert.rejects(ask('POST', '/v1/t/clanker/erasures', { handle }));
  await server.kill();
  server = await startRunning({ folder, env, program });
  type Listed = { erasures: { keyDestroyedAt: string | null }[] };
  const { erasures } = await ask<Listed>('GET', '/v1/t/clanker/erasures');
  assert.ok(erasures[0]?.keyDestroyedAt);
});

test('a copy of the keyring that is out of reach keeps no server down: what is due stays due', async () => {
  await server.stop();
  inKeyring((keyring) => {
    const month = Date.now() - 40 * DAY_MS;
    keyring.prepare("update meta set value = ? where name = 'epoch_at'").run(month);
  });
  // A file where the directory should be.
  const copy = join(folder, 'data', 'instance.json');
  assert.ok(readFileSync(copy).length > 0);
  const away = { ...env, TROTH_KEYRING_COPY_DIR: join(copy, 'nowhere') };
  server = await startRunning({ folder, env: away, program });
  const { ageDays } = await ask<{ ageDays: number }>('GET', '/v1/operator/keys/status');
  assert.ok(ageDays > 30);
  const { ailments } = await ask<{ ailments: { what: string }[] }>('GET', '/v1/operator/doctor');
  assert.ok(ailments.some(({ what }) => what.includes('not rotated for 40 days')));
  await server.stop();
  server = await startRunning({ folder, env, program });
  assert.ok((await ask<{ ageDays: number }>('GET', '/v1/operator/keys/status')).ageDays < 1);
});
