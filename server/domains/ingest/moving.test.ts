import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Events } from '#platform/events';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { readBacklog, readOpenRounds } from './inbox-store.ts';
import { Mover } from './mover.ts';
import { type Door, openDoor } from './testing/small-world.ts';

const limits = 'ingest:\n  limits: { events-per-second: 1000000, batch: 500, body: 512KB }\n';
let receiving: Door;
let second: Door;
const world = useWorld({
  policies: [(service) => samplePolicy(service, { more: limits })],
  setUp: async (opened) => {
    receiving = await openDoor(opened, { moves: false, answerWithinMs: 600 });
    second = await openDoor(opened, { moves: false }, receiving);
  },
});
after(async () => {
  await receiving?.close();
  await second?.close();
});

let serial = 0;
const batch = (tool: string, size = 20) => ({
  batch: Array.from({ length: size }, () => ({
    type: 'track',
    event: 'used',
    userId: `u-${serial % 7}`,
    messageId: `move-${serial++}`,
    properties: { tool, note: 'sealed' },
  })),
});

const mover = (events: Events = world.events) =>
  new Mover({ db: world.db, events, now: () => new Date(), log: silentLog, waitMs: 0 });

const FOR_EVER = 1_000;

/**
 * The event store, breaking as told; `lost` answers are those of inserts that succeeded. One that
 * breaks for ever answers no question afterwards either.
 */
function breaking(how: 'before' | 'lost', times: number): Events {
  let left = times;
  return {
    ...world.events,
    query: (sql, params) =>
      times === FOR_EVER && left < times
        ? Promise.reject(new Error('gone'))
        : world.events.query(sql, params),
    async insert(insertion) {
      const breaks = left-- > 0;
      if (breaks && how === 'before') throw new Error('refused');
      await world.events.insert(insertion);
      if (breaks) throw new Error('the answer was lost');
    },
  };
}

const stored = async (tool: string) => {
  const [row] = await world.events.query<{ rows: string; messages: string; batches: string }>(
    `select toString(count()) as rows, toString(uniqExact(message)) as messages,
            toString(uniqExact(batch)) as batches
     from {database:Identifier}.usage where f_tool = {tool:String}`,
    { database: `tenant_${world.tenant.replaceAll('-', '_')}`, tool },
  );
  return row && [Number(row.rows), Number(row.messages), Number(row.batches)];
};

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await what()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail('it did not happen within ten seconds');
}
const isEmpty = async () => (await readBacklog(world.db.sql)).rows === 0;

test('what is acknowledged is in the inbox, and in its table after the move, once', async () => {
  assert.equal((await receiving.send('/v1/batch', batch('plain'))).status, 200);
  assert.equal((await readBacklog(world.db.sql)).rows, 20);
  await mover().moveOnce(true);
  assert.deepEqual(await stored('plain'), [20, 20, 1]);
  assert.ok(await isEmpty());
  assert.equal((await readOpenRounds(world.db.sql)).length, 0);
});

test('an insert that fails is done again until it succeeds', async () => {
  await receiving.send('/v1/batch', batch('again'));
  const running = mover(breaking('before', 2));
  running.start();
  await until(isEmpty);
  await running.stop();
  assert.deepEqual(await stored('again'), [20, 20, 1]);
});

test('an insert whose answer was lost is found, and not done twice', async () => {
  await receiving.send('/v1/batch', batch('lost'));
  const running = mover(breaking('lost', 1));
  running.start();
  await until(isEmpty);
  await running.stop();
  assert.deepEqual(await stored('lost'), [20, 20, 1]);
});

for (const how of ['before', 'lost'] as const) {
  test(`a mover that dies with its insert ${how}: the next one finishes the round`, async () => {
    await receiving.send('/v1/batch', batch(`dead-${how}`));
    const dying = mover(breaking(how, FOR_EVER));
    dying.start();
    await until(async () => (await readOpenRounds(world.db.sql)).length === 1);
    await new Promise((done) => setTimeout(done, 300));
    await dying.stop();
    assert.ok(!(await isEmpty()), 'the round is still open');
    await receiving.send('/v1/batch', batch(`after-${how}`));
    const next = mover();
    next.start();
    await until(isEmpty);
    await next.stop();
    assert.deepEqual(await stored(`dead-${how}`), [20, 20, 1]);
    assert.deepEqual(await stored(`after-${how}`), [20, 20, 1]);
  });
}

test('two movers never work at once', async () => {
  await receiving.send('/v1/batch', batch('both'));
  const movers = [mover(), mover(), mover()];
  for (const one of movers) one.start();
  await until(isEmpty);
  await Promise.all(movers.map((one) => one.stop()));
  assert.deepEqual(await stored('both'), [20, 20, 1]);
});

test('one message through two servers, and once more after a restart, is stored once', async () => {
  const body = batch('twice');
  const answers = await Promise.all([
    receiving.send('/v1/batch', body),
    second.send('/v1/batch', body, { key: second.keyOf(world.tenant) }),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  await mover().moveOnce(true);
  assert.deepEqual(await stored('twice'), [20, 20, 1]);
  const restarted = await openDoor(world, { moves: false }, receiving);
  assert.equal((await restarted.send('/v1/batch', body)).status, 200);
  await mover().moveOnce(true);
  await restarted.close();
  assert.deepEqual(await stored('twice'), [20, 20, 1]);
});

test('rows that the event store refuses step aside and are kept; what is behind them goes on', async () => {
  const database = `tenant_${world.tenant.replaceAll('-', '_')}`;
  await receiving.send('/v1/batch', batch('stuck', 3));
  await world.events.command(`rename table ${database}.usage to ${database}.away`);
  const running = mover();
  running.start();
  await until(isEmpty);
  await running.stop();
  await world.events.command(`rename table ${database}.away to ${database}.usage`);
  const [aside] = await world.db.sql<
    { rows: number }[]
  >`select sum(rows)::int as rows from inbox_stuck`;
  assert.equal(aside?.rows, 3);
  await receiving.send('/v1/batch', batch('behind', 3));
  await mover().moveOnce(true);
  assert.deepEqual(await stored('behind'), [3, 3, 1]);
});

test('what cannot be made durable in time is answered with 503, and a retry is taken once', async () => {
  const body = batch('slow');
  const lock = await world.db.admin.reserve();
  await lock`begin`;
  await lock`lock table inbox in access exclusive mode`;
  const waiting = await receiving.send('/v1/batch', body);
  assert.deepEqual([waiting.status, waiting.body['code']], [503, 'ingest-not-durable']);
  assert.equal(waiting.headers.get('retry-after'), '1');
  await lock`commit`;
  lock.release();
  assert.equal((await receiving.send('/v1/batch', body)).status, 200);
  await mover().moveOnce(true);
  assert.deepEqual(await stored('slow'), [20, 20, 1]);
});

test('when the event store is away, events are taken until the inbox is full; then 503', async () => {
  const full = await openDoor(world, { moves: false, backlogBytesMax: 1_000 }, receiving);
  assert.equal((await full.send('/v1/batch', batch('full'))).status, 200);
  const refused = await full.send('/v1/batch', batch('full'));
  assert.deepEqual([refused.status, refused.body['code']], [503, 'ingest-busy']);
  assert.ok(refused.headers.get('retry-after'));
  await mover().moveOnce(true);
  await until(async () => (await full.send('/v1/batch', batch('full'))).status === 200);
  await full.close();
  await mover().moveOnce(true);
});
