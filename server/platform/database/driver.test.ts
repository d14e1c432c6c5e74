import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { connect, type EmbeddedPostgres, startPostgres } from './index.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'troth-driver-'));
const runtimeDir = shortDirectory(dataDir);
let engine: EmbeddedPostgres;
let sql: ReturnType<typeof connect>;
before(async () => {
  engine = await startPostgres({ dataDir, runtimeDir, log: silentLog, durable: false });
  sql = connect(engine.url, { max: 2, connect_timeout: 2 });
});
after(async () => {
  await sql?.end({ timeout: 1 });
  await engine?.stop();
  for (const made of [dataDir, runtimeDir]) rmSync(made, { recursive: true, force: true });
});

const killer = async (pid: number) => {
  const other = connect(engine.url, { max: 1 });
  await other`select pg_terminate_backend(${pid})`;
  await other.end();
};

test('a transaction whose connection was lost is refused each later query, and is over', async () => {
  let late: Promise<unknown> | undefined;
  const work = sql.begin(async (tx) => {
    const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await killer(own?.pid ?? 0);
    await wait(50);
    late = assert.rejects(Promise.resolve(tx`select 1`), { code: 'CONNECTION_CLOSED' });
    await late;
    await tx`select 2`;
  });
  await assert.rejects(work);
  await late;
  assert.equal((await sql`select 1 as one`).length, 1);
});

test('a reserved connection that was lost refuses, and giving it back harms nobody', async () => {
  const held = await sql.reserve();
  const [own] = await held<{ pid: number }[]>`select pg_backend_pid() as pid`;
  await killer(own?.pid ?? 0);
  await wait(50);
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(Promise.resolve(held`select 1`), { code: 'CONNECTION_CLOSED' });
  }
  held.release();
  for (let n = 0; n < 20; n++) assert.equal((await sql`select ${n}::int as n`)[0]?.['n'], n);
});

test('reservations that fail while PostgreSQL is away use up no connection', async () => {
  for (let round = 0; round < 4; round++) {
    process.kill(engine.pid, 'SIGKILL');
    const asked = Array.from({ length: 6 }, async () => {
      const held = await sql.reserve();
      await held`select 1`.catch(() => undefined);
      held.release();
    });
    await Promise.allSettled([...asked, ...asked.map(() => sql`select 1`)]);
    await wait(20);
    await engine.whenReady();
  }
  const answers = Array.from({ length: 10 }, async (_, n) => {
    const held = await sql.reserve();
    const [row] = await held<{ n: number }[]>`select ${n}::int as n`;
    held.release();
    return row?.n;
  });
  assert.deepEqual(await Promise.all(answers), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('bytes come back as they were sent, none of them and a megabyte of them too', async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const sent = [Buffer.alloc(0), all, Buffer.alloc(1024 * 1024, 0x5c)];
  for (const bytes of sent) {
    const [got] = await sql<{ bytes: Buffer; size: number; text: string; none: Buffer | null }[]>`
      select ${bytes}::bytea as bytes, length(${bytes}::bytea) as size, ${'\\x41'}::text as text,
             ${null}::bytea as none`;
    assert.deepEqual(got, { bytes, size: bytes.length, text: '\\x41', none: null });
  }
});
