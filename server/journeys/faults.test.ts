/** Faults: what was acknowledged is present, once, after each of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startRunning } from '#testing/running';

const folder = mkdtempSync(join(tmpdir(), 'troth-faults-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ROUNDS = 20;
let serial = 0;

/** Sends one batch of ten; returns true when it was acknowledged. */
async function sendBatch(server: RunningServer): Promise<boolean> {
  const batch = Array.from({ length: 10 }, () => {
    serial += 1;
    return {
      type: 'track',
      messageId: `fault-${serial}`,
      userId: `operator-${serial % 25}`,
      event: 'agent_command',
      properties: { tool: 'shell', sequence: serial, outcome: 'done', arguments: { n: serial } },
    };
  });
  const first = serial - 9;
  for (let attempt = 0; attempt < 60; attempt += 1) {
    try {
      const answer = await fetch(new URL('/v1/t/clanker/batch', server.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${server.writeKeys['clanker']}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ batch }),
      });
      if (answer.status === 200) {
        for (let n = first; n < first + 10; n += 1) acknowledged.add(n);
        return true;
      }
      assert.equal(answer.status, 503, 'an engine that is away is a 503');
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false; // The server was killed in the middle; nothing was acknowledged.
    }
    await sleep(250);
  }
  return false;
}

const acknowledged = new Set<number>();

/** Children of the server by a word in their command line. */
function childPid(server: RunningServer, word: string): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const parent = Number(
        readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[1],
      );
      if (parent === server.child.pid && command.includes(word)) return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

async function present(server: RunningServer): Promise<{ rows: number; distinct: number }> {
  for (let attempt = 0; attempt < 80; attempt += 1) {
    const answer = await fetch(new URL('/v1/t/clanker/data-map', server.url), {
      headers: { cookie: `troth_operator=${server.operatorToken}` },
    });
    const map = (await answer.json()) as { types: { id: string; rows: number | null }[] };
    const rows = map.types.find(({ id }) => id === 'agent-commands')?.rows ?? 0;
    if (rows >= acknowledged.size || attempt === 79) return { rows, distinct: acknowledged.size };
    await sleep(250);
  }
  throw new Error('unreachable');
}

for (const word of ['postgres', 'clickhouse', 'keeper']) {
  test(`kill -9 of ${word}, ${ROUNDS} times in the middle of batches: every acknowledged event is present once`, async () => {
    acknowledged.clear();
    const server = await startRunning({ folder: join(folder, word) });
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const sending = Promise.all([sendBatch(server), sendBatch(server), sendBatch(server)]);
        await sleep(Math.random() * 30);
        const pid = childPid(server, word);
        if (pid) process.kill(pid, 'SIGKILL');
        await sending;
      }
      const { rows, distinct } = await present(server);
      assert.equal(rows, distinct);
      assert.ok(distinct >= ROUNDS * 10, `${distinct} acknowledged`);
    } finally {
      await server.stop();
    }
  });
}

test(`kill -9 of the server, ${ROUNDS} times: every acknowledged event is present once`, async () => {
  acknowledged.clear();
  const home = join(folder, 'server');
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRunning({ folder: home });
    await sendBatch(server);
    const sending = Promise.all([sendBatch(server), sendBatch(server)]);
    await sleep(Math.random() * 20);
    await server.kill();
    await sending;
  }
  const server = await startRunning({ folder: home });
  try {
    const { rows, distinct } = await present(server);
    // A batch may be durable and its answer lost: more rows than acknowledged, never fewer.
    assert.ok(rows >= distinct, `${rows} rows of ${distinct} acknowledged`);
    assert.ok(rows <= serial);
  } finally {
    await server.stop();
  }
});

test('a second start on one data directory refuses with a sentence, and the first goes on', async () => {
  const home = join(folder, 'twice');
  const first = await startRunning({ folder: home });
  try {
    await assert.rejects(startRunning({ folder: home }), /troth: .*(in use|already)/i);
    assert.equal((await fetch(new URL('/readyz', first.url))).status, 200);
  } finally {
    await first.stop();
  }
});

test('data without its keys, and a taken port, are refused with a sentence', async () => {
  const home = join(folder, 'apart');
  await (await startRunning({ folder: home })).stop();
  rmSync(join(home, 'keys'), { recursive: true });
  await assert.rejects(startRunning({ folder: home }), /troth: .*key/i);

  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  await assert.rejects(
    startRunning({ folder: join(folder, 'port'), env: { TROTH_HTTP_PORT: String(port) } }),
    /troth: port \d+ is taken/,
  );
  holder.close();
});
