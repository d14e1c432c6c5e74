import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'pg';
import { z } from 'zod';
import { defineJob } from '#core/domain';
import { connect, withDatabase } from '#platform/database';
import { type LogLines, openLog } from '#platform/log';
import { useWorld } from '#testing/world';
import { enqueue, prepareJobs, readHeartbeats, runJobs, runJobsOnce } from './index.ts';
import { openPresence, tendQueue } from './presence.ts';
import { scheduleOf } from './schedule.ts';
import { checkJobs } from './task.ts';

const world = useWorld({ setUp: ({ db }) => prepareJobs(db) });
const seen: { name: string; input: unknown }[] = [];
const lines: string[] = [];
const log = openLog((line) => void lines.push(line));

const note = defineJob({
  name: 'test.note-word',
  use: 'essential.service',
  input: z.strictObject({ word: z.string() }),
  attemptsMax: 3,
  timeoutSeconds: 5,
  async run(input) {
    seen.push({ name: 'note', input });
  },
});
const fail = defineJob({
  name: 'test.fail-always',
  use: 'essential.service',
  input: z.strictObject({ person: z.string() }),
  attemptsMax: 1,
  timeoutSeconds: 5,
  async run({ person }) {
    throw new Error(`no mailbox for ${person}`);
  },
});
const slow = defineJob({
  name: 'test.sleep-long',
  use: 'essential.service',
  input: z.strictObject({}),
  attemptsMax: 1,
  timeoutSeconds: 1,
  run: (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
});

/** Works on, whatever happens to the database, and then ends well. */
const cut = defineJob({
  name: 'test.work-on',
  use: 'essential.service',
  input: z.strictObject({}),
  attemptsMax: 2,
  timeoutSeconds: 5,
  async run() {
    seen.push({ name: 'cut', input: {} });
    await wait(300);
  },
});
const stoppable = defineJob({
  name: 'test.wait-for-stop',
  use: 'essential.service',
  input: z.strictObject({}),
  attemptsMax: 2,
  timeoutSeconds: 60,
  async run(_, { signal }) {
    seen.push({ name: 'stoppable', input: {} });
    await wait(60_000, undefined, { signal });
  },
});

const context = () => {
  const { db, events, policies, clock } = world;
  return { db, events, policies, clock, log };
};
const given = () => ({ db: world.db, jobs: [note, fail, slow], context: context(), log });

test('a job runs after its cause is committed, and never when the cause is rolled back', async () => {
  await world.inTenant((tx) => enqueue(tx, note, { word: 'committed' }));
  await world
    .inTenant(async (tx) => {
      await enqueue(tx, note, { word: 'rolled back' });
      throw new Error('the cause fails');
    })
    .catch(() => undefined);
  await runJobsOnce(given());
  assert.deepEqual(seen, [{ name: 'note', input: { word: 'committed' } }]);
});

test('a job that fails leaves no message of its error, neither in the queue nor in the log', async () => {
  await world.inTenant((tx) => enqueue(tx, fail, { person: 'ada@example.org' }));
  await runJobsOnce(given());
  const [row] = await world.db.admin`
    select last_error from troth_jobs._private_jobs where last_error is not null`;
  assert.match(String(row?.['last_error']), /test\.fail-always failed/);
  assert.doesNotMatch(String(row?.['last_error']), /ada@/);
  assert.doesNotMatch(lines.join(''), /ada@/);
  assert.ok(lines.some((line) => line.includes('job.abandoned' satisfies keyof LogLines)));
});

test('a job that takes longer than it may is ended', async () => {
  await world.inTenant((tx) => enqueue(tx, slow, {}));
  const began = Date.now();
  await runJobsOnce(given());
  assert.ok(Date.now() - began < 4_000);
});

test('an input that the job does not declare is refused before it is queued', async () => {
  const wrong = { word: 1 } as unknown as { word: string };
  await assert.rejects(world.inTenant((tx) => enqueue(tx, note, wrong)));
});

test('a job queued twice under one key runs once, and a running worker picks it up', async () => {
  seen.length = 0;
  await world.inTenant(async (tx) => {
    for (const word of ['first', 'last']) await enqueue(tx, note, { word }, { key: 'only' });
  });
  const runner = await runJobs(given());
  for (let tries = 0; tries < 200 && seen.length === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await runner.stop();
  assert.deepEqual(seen, [{ name: 'note', input: { word: 'last' } }]);
});

const heartbeatOf = async (name: string) =>
  (await readHeartbeats(world.db.sql)).find(({ job }) => job === name);

async function until(seenIt: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 250; tries++) {
    if (await seenIt()) return;
    await wait(20);
  }
  assert.fail('it did not happen within five seconds');
}

/** Puts a job into the hands of a worker, as if it had taken it and begun. */
async function takenBy(worker: string): Promise<void> {
  await world.inTenant((tx) => enqueue(tx, note, { word: 'taken' }));
  await world.db.admin`
    update troth_jobs._private_jobs
    set locked_by = ${worker}, locked_at = now(), attempts = attempts + 1
    where locked_by is null and attempts = 0`;
}
const lockedBy = async () => {
  const rows = await world.db.admin<{ worker: string }[]>`
    select locked_by as worker from troth_jobs._private_jobs where locked_by is not null`;
  return rows.map(({ worker }) => worker);
};

test('a job leaves a heartbeat, in the time of the clock that the worker was handed', async () => {
  const began = world.clock.now();
  await world.inTenant((tx) => enqueue(tx, note, { word: 'beat' }));
  await runJobsOnce(given());
  assert.deepEqual(await heartbeatOf(note.name), {
    job: note.name,
    lastStarted: began,
    lastFinished: began,
    lastOutcome: 'done',
    lastDone: began,
  });
  world.clock.advance(60_000);
  const failed = await heartbeatOf(fail.name);
  assert.equal(failed?.lastOutcome, 'abandoned');
  assert.equal(failed?.lastDone, null);
  assert.equal((await heartbeatOf(slow.name))?.lastOutcome, 'abandoned');
});

test('the jobs of a dead worker are run again at once, those of a live one are left to it', async () => {
  const pool = new Pool({ connectionString: world.db.appUrl, max: 1 });
  const presence = openPresence(pool);
  await presence.announce('pool-alive');
  await takenBy('pool-alive');
  await takenBy('pool-dead');
  await tendQueue(world.db.sql, { now: world.clock.now(), log });
  assert.deepEqual(await lockedBy(), ['pool-alive']);
  assert.ok(lines.some((line) => line.includes('job.lost' satisfies keyof LogLines)));
  assert.equal((await heartbeatOf(note.name))?.lastOutcome, 'lost');

  presence.close();
  await pool.end();
  seen.length = 0;
  await runJobsOnce(given());
  assert.equal(seen.length, 2);
  assert.deepEqual(await lockedBy(), []);
});

test('a worker whose connection broke says again that it is alive', async () => {
  const pool = new Pool({ connectionString: world.db.appUrl, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const presence = openPresence(pool);
  await presence.announce('pool-broken');
  const holders = () => world.db.admin<{ pid: number }[]>`
    select pid from pg_locks where locktype = 'advisory' and database =
      (select oid from pg_database where datname = current_database())`;
  const [before] = await holders();
  await world.db.admin`select pg_terminate_backend(${before?.pid ?? 0})`;
  await until(async () => {
    const [now] = await holders();
    return now !== undefined && now.pid !== before?.pid;
  });
  presence.close();
  await pool.end();
});

test('a worker that loses the database in the middle of a job goes on when it is back', async (t) => {
  seen.length = 0;
  const runner = await runJobs({ ...given(), jobs: [...given().jobs, cut] });
  t.after(() => runner.stop());
  await world.inTenant((tx) => enqueue(tx, cut, {}));
  await until(() => seen.length > 0);
  await world.db.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'troth-jobs' and datname = current_database()`;
  await world.inTenant((tx) => enqueue(tx, note, { word: 'afterwards' }));
  await until(() => seen.some(({ name }) => name === 'note'));
  await runner.stop();
});

test('a job whose end could not be written is run again, and the worker goes on', async (t) => {
  seen.length = 0;
  const [found] = await world.db.admin<{ name: string }[]>`select current_database() as name`;
  const elsewhere = connect(withDatabase(world.postgresUrl, 'postgres'), { max: 1 });
  const allow = (allowed: boolean) =>
    elsewhere.unsafe(`alter database ${found?.name} with allow_connections ${allowed}`);
  const runner = await runJobs({ ...given(), jobs: [cut] });
  t.after(async () => {
    await allow(true);
    await elsewhere.end();
    await runner.stop();
  });
  await world.inTenant((tx) => enqueue(tx, cut, {}));
  await until(() => seen.length > 0);
  await allow(false);
  await world.db.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'troth-jobs' and datname = current_database()`;
  await until(() =>
    lines.some((line) => line.includes('queue.restarted' satisfies keyof LogLines)),
  );
  await allow(true);
  await until(() => seen.length > 1);
  await until(async () => (await lockedBy()).length === 0);
  await runner.stop();
});

test('a job that the server stopped keeps its attempt and runs again at the next start', async () => {
  seen.length = 0;
  const given2 = { ...given(), jobs: [stoppable] };
  const runner = await runJobs(given2);
  await world.inTenant((tx) => enqueue(tx, stoppable, {}));
  await until(() => seen.length > 0);
  await runner.stop();
  const [row] = await world.db.admin`
    select attempts, locked_by as holder from troth_jobs._private_jobs
    where max_attempts = 2 and attempts < 2`;
  assert.deepEqual({ ...row }, { attempts: 0, holder: null });
});

test('a job that starts by itself is not given its schedule as an input', async () => {
  seen.length = 0;
  const payload = { word: 'scheduled', _cron: { ts: '2026-03-02T09:00:00Z' } };
  await world.db.sql`
    select troth_sec.enqueue(${note.name}, ${JSON.stringify(payload)}::text::json, 1,
                             ${new Date()}, null)`;
  await runJobsOnce(given());
  assert.deepEqual(seen, [{ name: 'note', input: { word: 'scheduled' } }]);
});

test('a scheduled job has one key, no overlap, and makes up for a time that was missed', () => {
  const scheduled = (every: string) =>
    scheduleOf([{ name: 'a.b', attemptsMax: 3, every }])[0]?.options;
  assert.deepEqual(scheduled('17 3 * * *'), {
    maxAttempts: 3,
    jobKey: 'a.b',
    queueName: 'a.b',
    backfillPeriod: 26 * 3_600_000,
  });
  assert.equal(scheduled('*/5 * * * *')?.backfillPeriod, 5 * 60_000);
  assert.equal(scheduled('0 3 * * 1')?.backfillPeriod, 192 * 3_600_000);
  assert.deepEqual(scheduleOf([{ name: 'a.b', attemptsMax: 1 }]), []);
  assert.throws(() => scheduled('at noon'));
});

test('a job that is declared carelessly stops the start', () => {
  const declared = (more: object) => () => checkJobs([{ ...note, ...more }]);
  for (const name of ['Note', 'note', 'test.', 'a.b.c', 'x y']) assert.throws(declared({ name }));
  for (const attemptsMax of [0, 26, 1.5, NaN]) assert.throws(declared({ attemptsMax }), RangeError);
  for (const timeoutSeconds of [0, 10_801, NaN])
    assert.throws(declared({ timeoutSeconds }), RangeError);
  assert.throws(() => checkJobs([note, note]), TypeError);
});
