/** Faults of processes: what was acknowledged is present, once, after each of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  FaultLoad,
  isAlive,
  type Part,
  partOf,
  signal,
  until,
  withChildren,
} from '#testing/faults';
import { startRunning } from '#testing/running';

const folder = mkdtempSync(join(tmpdir(), 'troth-faults-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const KILLS = 20;
const PARTS: readonly Part[] = ['postgres', 'clickhouse', 'keeper'];
const timeout = 240_000;
const MINUTE_MS = 60_000;

/** A moment that falls before, into or after the commit of a batch. */
const aMoment = () => sleep(Math.random() * 25);

for (const part of PARTS) {
  test(`kill -9 of ${part}, ${KILLS} times in the middle of batches: every acknowledged event is present once`, {
    timeout,
  }, async (t) => {
    const server = await startRunning({ folder: join(folder, `kill-${part}`) });
    try {
      const load = new FaultLoad(server);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await until(`${part} runs`, MINUTE_MS, () => partOf(server, part) !== undefined);
        const sending = Promise.all([load.deliver(), load.deliver(), load.deliver()]);
        await aMoment();
        signal([partOf(server, part) ?? 0].filter(Boolean), 'SIGKILL');
        await sending;
      }
      assert.equal(load.acknowledged.size, load.sent);
      await load.settle();
      t.diagnostic(`${load.sent} events; answers ${JSON.stringify([...load.answers])}`);
    } finally {
      await server.stop();
    }
  });
}

test(`kill -9 of the server, ${KILLS} times in the middle of batches: every acknowledged event is present once, and each restart works at once`, {
  timeout,
}, async (t) => {
  const home = join(folder, 'kill-server');
  let server = await startRunning({ folder: home });
  const load = new FaultLoad(server);
  const starts: number[] = [];
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const batches = [load.batch(), load.batch(), load.batch()];
      const sending = Promise.all(batches.map((batch) => load.send(batch)));
      await aMoment();
      const children = PARTS.flatMap((part) => partOf(server, part) ?? []);
      await server.kill();
      await sending;
      server = await startRunning({ folder: home });
      load.server = server;
      starts.push(Math.round(server.readyMs));
      assert.deepEqual(children.filter(isAlive), [], 'children of the dead server');
      // The client sends again what it does not know to be stored.
      for (const batch of batches) assert.equal(await load.send(batch), 200);
    }
    assert.equal(load.acknowledged.size, load.sent);
    await load.settle();
    t.diagnostic(`${load.sent} events; slowest restart ${Math.max(...starts)} ms`);
  } finally {
    await server.stop();
  }
});

test('while ClickHouse is stopped every event is still taken, and all are queryable afterwards', {
  timeout,
}, async (t) => {
  const server = await startRunning({ folder: join(folder, 'stop-clickhouse') });
  try {
    const load = new FaultLoad(server);
    await load.deliver();
    const stopped = new Set<number>();
    const end = Date.now() + MINUTE_MS;
    while (Date.now() < end) {
      // The supervisor replaces an engine that does not answer: the next one is stopped as well.
      const pid = partOf(server, 'clickhouse');
      if (pid && !stopped.has(pid)) signal([pid], 'SIGSTOP');
      if (pid) stopped.add(pid);
      assert.equal(await load.send(load.batch()), 200);
      await sleep(50);
    }
    signal([...stopped].filter(isAlive), 'SIGCONT');
    assert.equal(load.answers.get(503), undefined);
    await load.settle();
    t.diagnostic(`${load.sent} events while ${stopped.size} engines were stopped`);
  } finally {
    await server.stop();
  }
});

test('while PostgreSQL is stopped events are refused or wait, and nothing acknowledged is lost', {
  timeout,
}, async (t) => {
  const server = await startRunning({ folder: join(folder, 'stop-postgres') });
  try {
    const load = new FaultLoad(server);
    await load.deliver();
    const stopped = withChildren(partOf(server, 'postgres') ?? 0);
    signal(stopped, 'SIGSTOP');
    const sending = Array.from({ length: 8 }, () => load.deliver(100_000));
    await sleep(MINUTE_MS);
    assert.equal(load.acknowledged.size, 10, 'nothing is acknowledged that is not durable');
    signal(stopped, 'SIGCONT');
    await Promise.all(sending);
    await load.deliver(2_000);
    await load.settle();
    t.diagnostic(`answers ${JSON.stringify([...load.answers])}`);
  } finally {
    await server.stop();
  }
});
