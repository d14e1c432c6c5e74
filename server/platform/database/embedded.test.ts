import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Log, type LogLines, silentLog } from '#platform/log';
import { childEnvironment, findServiceUser, shortDirectory } from '#platform/runtime';
import { connect, type EmbeddedPostgres, startPostgres } from './index.ts';
import { findPackage, layOutPrograms } from './programs.ts';

const root = mkdtempSync(join(tmpdir(), 'troth-postgres-'));
// Closed to everybody else: as root, PostgreSQL's own user cannot pass through it.
chmodSync(root, 0o700);
const dataDir = join(root, 'a folder with a name that is long '.repeat(3), 'data');
const runtimeDir = shortDirectory(dataDir);
const user = findServiceUser();
const lines: (keyof LogLines)[] = [];
const log: Log = (name) => void lines.push(name);
let running: EmbeddedPostgres;

const start = () => startPostgres({ dataDir, runtimeDir, log });
before(async () => {
  running = await start();
});
after(async () => {
  await running.stop();
  for (const made of [root, runtimeDir]) rmSync(made, { recursive: true, force: true });
});

async function ask<T>(work: (sql: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
  const sql = connect(running.url, { max: 4 });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end && isAlive(pid); ) await wait(10);
  return !isAlive(pid);
}

test('PostgreSQL listens on a unix socket only, and asks for a password there', async () => {
  const [seen] = await ask(
    (sql) => sql`
      select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync,
             current_setting('log_error_verbosity') as verbosity,
             current_setting('data_checksums') as checksums`,
  );
  assert.deepEqual({ ...seen }, { tcp: '', fsync: 'on', verbosity: 'terse', checksums: 'on' });
  const wrong = connect(running.url.replace(/:[^:@]+@/, ':wrong@'), { max: 1 });
  await assert.rejects(wrong`select 1`, { code: '28P01' });
  await wrong.end();
});

test('no value of a refused row reaches the log of PostgreSQL', async () => {
  await ask(async (sql) => {
    await sql`create table if not exists people (mail text unique)`;
    await sql`insert into people values ('ada-marker@example.org')`;
    await assert.rejects(sql`insert into people values ('ada-marker@example.org')`);
  });
  for (const name of readdirSync(join(dataDir, 'logs'))) {
    assert.doesNotMatch(readFileSync(join(dataDir, 'logs', name), 'utf8'), /ada-marker/);
  }
});

test('after kill -9 of PostgreSQL in the middle of writes every acknowledged row is there', async () => {
  await ask((sql) => sql`create table if not exists kept (n integer primary key)`);
  for (let round = 0; round < 3; round++) {
    const acknowledged: number[] = [];
    const sql = connect(running.url, { max: 4, connect_timeout: 1 });
    const base = round * 1_000_000;
    let failing = false;
    const write = async (from: number) => {
      for (let n = from; !failing; n += 4) {
        await sql`insert into kept values (${n})`.then(
          () => acknowledged.push(n),
          () => {
            failing = true;
          },
        );
      }
    };
    const writers = [0, 1, 2, 3].map((lane) => write(base + lane));
    await wait(150);
    const { pid } = running;
    process.kill(pid, 'SIGKILL');
    await Promise.all(writers);
    await sql.end({ timeout: 0 });
    while (running.pid === 0 || running.pid === pid) await wait(10);
    await running.whenReady();
    const rows = await ask(
      (again) => again<{ n: number }[]>`select n from kept where n >= ${base}`,
    );
    const found = new Set(rows.map(({ n }) => n));
    assert.ok(acknowledged.length > 0);
    assert.deepEqual(
      acknowledged.filter((n) => !found.has(n)),
      [],
    );
  }
});

test('a backend that outlives its postmaster does not keep PostgreSQL down', async () => {
  const sql = connect(running.url, { max: 1 });
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const backend = row?.pid ?? 0;
  // As one that waits for a disk: it does not notice that its postmaster is gone.
  process.kill(backend, 'SIGSTOP');
  const stopped = () => lines.filter((line) => line === 'orphan.stopped').length;
  const before = stopped();
  const { pid } = running;
  process.kill(pid, 'SIGKILL');
  const end = Date.now() + 15_000;
  while ((running.pid === 0 || running.pid === pid) && Date.now() < end) await wait(10);
  await running.whenReady();
  // It ended; where nobody reaps it, its number stays.
  assert.equal(stopped(), before + 1);
  assert.equal((await ask((again) => again`select 1 as one`)).length, 1);
  await sql.end({ timeout: 0 });
});

/** Runs PostgreSQL on our directory as an earlier server would have left it: without a rope. */
async function leaveOrphan(): Promise<number> {
  const directory = join(dataDir, 'postgres');
  const programs = join(user ? runtimeDir : dataDir, 'programs', 'bin', 'postgres');
  const fd = openSync(directory, 'r');
  const flags = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${runtimeDir}/p`];
  const path = user ? '/proc/self/fd/3' : directory;
  const orphan = spawn(programs, ['-D', path, ...flags], {
    cwd: '/',
    env: childEnvironment(),
    detached: true,
    ...user,
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  orphan.unref();
  const file = join(directory, 'postmaster.pid');
  for (let tries = 0; tries < 500; tries++) {
    if (existsSync(file) && /ready/.test(readFileSync(file, 'utf8'))) break;
    await wait(10);
  }
  return orphan.pid ?? 0;
}

test('a PostgreSQL that outlived its server is stopped before a new one starts', async () => {
  await running.stop();
  const orphan = await leaveOrphan();
  assert.ok(isAlive(orphan));
  running = await start();
  assert.ok(await untilGone(orphan, 1_000));
  assert.ok(lines.includes('orphan.stopped'));
  assert.equal((await ask((sql) => sql`select 1 as one`)).length, 1);
});

test('a lock file that names a living stranger, or nothing, does not keep PostgreSQL down', async () => {
  const stranger = spawn('/bin/sleep', ['30'], { stdio: 'ignore', ...user });
  for (const content of [`${stranger.pid}\n/elsewhere\n1\n5432\n\n\n\nready\n`, '', '999999\n']) {
    await running.stop();
    const file = join(dataDir, 'postgres', 'postmaster.pid');
    writeFileSync(file, content, { mode: 0o600 });
    if (user) chownSync(file, user.uid, user.gid);
    running = await start();
    assert.equal((await ask((sql) => sql`select 1 as one`)).length, 1);
  }
  assert.ok(stranger.pid && isAlive(stranger.pid), 'the stranger was left alone');
  stranger.kill();
});

test('PostgreSQL ends cleanly when the server that started it is killed', async () => {
  await running.stop();
  const script = `import { startPostgres } from '${join(import.meta.dirname, 'index.ts')}';
    const given = ${JSON.stringify({ dataDir, runtimeDir })};
    const made = await startPostgres({ ...given, log: () => undefined }); console.log(made.pid);`;
  const server = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
  });
  const pid = await new Promise<number>((resolve) => {
    server.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  server.kill('SIGKILL');
  assert.ok(await untilGone(pid, 5_000));
  assert.equal(existsSync(join(dataDir, 'postgres', 'postmaster.pid')), false);
  running = await start();
});

test('programs in a folder that their user cannot reach are copied, not linked', (t) => {
  if (!user) return t.skip('only root runs PostgreSQL as somebody else');
  const closed = mkdtempSync(join(tmpdir(), 'troth-closed-'));
  const open = mkdtempSync(join(tmpdir(), 'troth-open-'));
  chmodSync(closed, 0o700);
  chmodSync(open, 0o755);
  const from = join(closed, 'native');
  mkdirSync(join(from, 'bin'), { recursive: true });
  for (const name of ['lib', 'share', 'pg-symlinks.json', 'bin/initdb', 'bin/postgres']) {
    cpSync(join(findPackage(), name), join(from, name), { recursive: true });
  }
  const programs = layOutPrograms(open, user, from);
  rmSync(closed, { recursive: true });
  const seen = spawnSync(join(programs, 'initdb'), ['--version'], { cwd: '/', ...user });
  assert.match(String(seen.stdout), /PostgreSQL\) 18/);
  assert.ok(existsSync(join(programs, '..', 'share', 'postgresql', 'postgres.bki')));
  rmSync(open, { recursive: true });
});

test('an ordinary user starts PostgreSQL too', async (t) => {
  if (!user) return t.skip('every other test here is this one already');
  const home = mkdtempSync(join(tmpdir(), 'troth-user-'));
  chownSync(home, user.uid, user.gid);
  const given = JSON.stringify({ dataDir: join(home, 'data'), runtimeDir: join(home, 'r') });
  const script = `import { startPostgres } from '${join(import.meta.dirname, 'index.ts')}';
    const made = await startPostgres({ ...${given}, log: () => undefined, durable: false });
    console.log('serving'); await made.stop();`;
  const server = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: childEnvironment(),
    ...user,
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const code = await new Promise((resolve) => server.once('close', resolve));
  rmSync(home, { recursive: true, force: true });
  assert.deepEqual([code, said], [0, 'serving\n']);
});

test('starting is fast when the directory is there', async () => {
  await running.stop();
  const began = performance.now();
  running = await startPostgres({ dataDir, runtimeDir, log: silentLog });
  assert.ok(performance.now() - began < 10_000);
});
