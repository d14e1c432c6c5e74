import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { defineJob } from '#core/domain';
import { type LogLines, openLog } from '#platform/log';
import { useWorld } from '#testing/world';
import { enqueue, prepareJobs, runJobs, runJobsOnce } from './index.ts';

const world = useWorld({ setUp: ({ db }) => prepareJobs(db) });
const seen: { name: string; input: unknown }[] = [];
const lines: string[] = [];
const log = openLog((line) => void lines.push(line));

const note = defineJob({
  name: 'test.note-word',
  input: z.strictObject({ word: z.string() }),
  attemptsMax: 3,
  timeoutSeconds: 5,
  async run(input) {
    seen.push({ name: 'note', input });
  },
});
const fail = defineJob({
  name: 'test.fail-always',
  input: z.strictObject({ person: z.string() }),
  attemptsMax: 1,
  timeoutSeconds: 5,
  async run({ person }) {
    throw new Error(`no mailbox for ${person}`);
  },
});
const slow = defineJob({
  name: 'test.sleep-long',
  input: z.strictObject({}),
  attemptsMax: 1,
  timeoutSeconds: 1,
  run: (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
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
