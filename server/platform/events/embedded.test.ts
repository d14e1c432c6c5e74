import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { type EmbeddedClickHouse, type Events, openEvents, startClickHouse } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'troth-clickhouse-'));
const dataDir = join(root, 'data');
const runtimeDir = shortDirectory(dataDir);
let running: EmbeddedClickHouse;
let events: Events;

before(async () => {
  running = await startClickHouse({ dataDir, runtimeDir, log: silentLog });
  events = openEvents(running.url);
  await events.command('create database kept');
  await events.command(`
    create table kept.rows (n UInt64) engine = MergeTree order by n
    settings non_replicated_deduplication_window = 1000`);
});
after(async () => {
  await events.close();
  await running.stop();
  for (const made of [root, runtimeDir]) rmSync(made, { recursive: true, force: true });
});

const numbers = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ n: from + index }));
const into = (rows: object[], token: string) =>
  events.insert({
    database: 'kept',
    table: 'rows',
    columns: ['n'],
    rows,
    format: 'JSONEachRow',
    token,
  });

test('an insert is durable when it is acknowledged: the four fsync settings are on', async () => {
  const rows = await events.query<{ name: string; value: string }>(`
    select name, value from system.merge_tree_settings
    where name in ('fsync_after_insert', 'fsync_part_directory', 'min_rows_to_fsync_after_merge',
                   'min_compressed_bytes_to_fsync_after_merge', 'old_parts_lifetime')
    order by name`);
  assert.deepEqual(
    rows.map(({ value }) => value),
    ['1', '1', '1', '1', '1'],
  );
});

test('after kill -9 of ClickHouse in the middle of inserts every acknowledged row is there once', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 2; round++) {
    let failing = false;
    const write = async (lane: number) => {
      for (let batch = 0; !failing; batch++) {
        const from = round * 10_000_000 + lane * 1_000_000 + batch * 100;
        await into(numbers(from, 100), `b${from}`).then(
          () => acknowledged.push(from),
          () => {
            failing = true;
          },
        );
      }
    };
    const writers = [0, 1].map(write);
    await wait(400);
    const { pid } = running;
    process.kill(pid, 'SIGKILL');
    await Promise.all(writers);
    while (running.pid === 0 || running.pid === pid) await wait(10);
    await running.whenReady();
  }
  const rows = await events.query<{ from: string; count: string }>(`
    select intDiv(n, 100) * 100 as from, count() as count from kept.rows group by from`);
  const found = new Map(rows.map(({ from, count }) => [Number(from), Number(count)]));
  assert.ok(acknowledged.length > 0);
  assert.deepEqual(
    acknowledged.filter((from) => found.get(from) !== 100),
    [],
  );
  assert.deepEqual(
    [...found.values()].filter((count) => count !== 100),
    [],
    'no half batch',
  );
});

test('no statement reaches a file, another server or a program', async () => {
  const attempts = [
    "select * from file('/etc/passwd', 'LineAsString')",
    "select * from url('http://127.0.0.1:1/', 'LineAsString')",
    "select * from remote('127.0.0.2', system.one)",
    "select * from executable('id', 'TabSeparated', 'x String')",
    "select * from s3('http://127.0.0.1:1/a/b.csv')",
    "select * from sqlite('/tmp/x.db', 't')",
    "create table kept.f (x String) engine = File(CSV, '/etc/passwd')",
    "create table kept.u (x String) engine = URL('http://127.0.0.1:1/', CSV)",
    'system shutdown',
    'create user somebody',
  ];
  for (const statement of attempts) {
    await assert.rejects(events.command(statement), { code: 'events-refused' }, statement);
  }
});

async function asks(sql: string, headers: Record<string, string> = {}, as = '') {
  const { origin } = new URL(running.url);
  const answer = await fetch(`${origin}/?query=${encodeURIComponent(sql)}${as}`, {
    headers,
    method: 'POST',
  });
  return { status: answer.status, text: (await answer.text()).trim() };
}
const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

test('nobody on this machine reaches ClickHouse without the password of this start', async () => {
  const { username, password, url } = running;
  const strangers: [Record<string, string>, string?][] = [
    [{}],
    [basic('default', '')],
    [basic(username, 'wrong')],
    [basic(username, '')],
    [basic(username, 'wrong'), '&user=default'],
    [{ 'x-clickhouse-user': 'default' }],
    [{ 'x-clickhouse-user': username, 'x-clickhouse-key': password }],
    [{}, `&user=${username}&password=${password}`],
    [{ authorization: `${basic(username, password).authorization}x` }],
  ];
  for (const [headers, as] of strangers) {
    assert.equal((await asks('select 1', headers, as)).status, 404, JSON.stringify([headers, as]));
  }
  for (const page of ['ping', 'play', 'dashboard', 'replicas_status', 'metrics']) {
    assert.equal((await fetch(`${new URL(url).origin}/${page}`)).status, 404, page);
  }
  assert.equal((await asks('select 1', basic(username, password))).text, '1');
});

test("the passwords of ClickHouse are in files that only the server's user reads, and new at each start", async () => {
  const settings = join(dataDir, 'clickhouse-settings');
  for (const name of readdirSync(settings)) {
    assert.equal(statSync(join(settings, name)).mode & 0o777, 0o600, name);
  }
  const file = `/proc/${running.pid}/cmdline`;
  if (existsSync(file)) assert.ok(!readFileSync(file, 'latin1').includes(running.password));
  const other = mkdtempSync(join(tmpdir(), 'troth-ch-'));
  const second = await startClickHouse({ dataDir: other, runtimeDir: other, log: silentLog });
  await second.stop();
  rmSync(other, { recursive: true, force: true });
  assert.notEqual(second.password, running.password);
});

/** The session of the engine itself, which the password of the server's user also opens. */
const asEngine = (sql: string) =>
  asks(sql, basic(running.username, running.password), '&user=default');

test("the engine's own user reads no table and no file, even for one who has the password", async () => {
  for (const statement of [
    'select * from kept.rows',
    "select * from file('/etc/passwd', 'LineAsString')",
    'drop table kept.rows',
    'insert into kept.rows values (1)',
    'create table kept.x (n UInt8) engine = MergeTree order by n',
    'create temporary table x (s String) engine = File(CSV)',
    "select 1 into outfile '/tmp/troth-outfile'",
    'select count() from numbers(10) settings max_memory_usage = 0',
  ]) {
    assert.notEqual((await asEngine(statement)).status, 200, statement);
  }
  assert.equal(
    (await asEngine("select count() from system.tables where database = 'kept'")).text,
    '0',
  );
});

test('a listener that is stopped from inside is noticed, and ClickHouse is started again', async () => {
  const { pid } = running;
  await asEngine('system stop listen http').catch(() => undefined);
  for (let tries = 0; tries < 3_000 && (running.pid === pid || running.pid === 0); tries++) {
    await wait(10);
  }
  await running.whenReady();
  assert.notEqual(running.pid, pid);
  await events.ping();
});

test('a ClickHouse that no longer answers is started again', async () => {
  const { pid } = running;
  process.kill(pid, 'SIGSTOP');
  for (let tries = 0; tries < 3_000 && (running.pid === pid || running.pid === 0); tries++) {
    await wait(10);
  }
  await running.whenReady();
  assert.notEqual(running.pid, pid);
  await events.ping();
});

test('a refusal tells the code of the error, and no value of a row', async () => {
  const refused = events.query("select toUInt64('ada-marker@example.org')");
  await assert.rejects(refused, (error: Error) => {
    assert.match(error.message, /^events-refused: code 6/);
    assert.doesNotMatch(JSON.stringify(error) + error.message, /ada-marker/);
    return true;
  });
});

test('ClickHouse ends when the server that started it is killed', async () => {
  const own = mkdtempSync(join(tmpdir(), 'troth-ch-'));
  const given = JSON.stringify({ dataDir: own, runtimeDir: own });
  const script = `import { startClickHouse } from '${join(import.meta.dirname, 'index.ts')}';
    const made = await startClickHouse({ ...${given}, log: () => undefined }); console.log(made.pid);`;
  const server = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  });
  const pid = await new Promise<number>((resolve) => {
    server.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  server.kill('SIGKILL');
  let alive = true;
  for (let tries = 0; tries < 500 && alive; tries++) {
    await wait(10);
    try {
      process.kill(pid, 0);
    } catch {
      alive = false;
    }
  }
  rmSync(own, { recursive: true, force: true });
  assert.equal(alive, false);
});
