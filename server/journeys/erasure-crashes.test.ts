/**
 * The server ends as by a power cut after every step of an erasure. What was answered stays so, the
 * next start goes on where it stopped, and no certificate is there before its time.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '#domains/rights';
import { partOf } from '#testing/faults';
import { type RunningServer, startRunning } from '#testing/running';
import type { Stop } from '#testing/stopping-server';

const folder = mkdtempSync(join(tmpdir(), 'troth-crash-'));

const TENANT = 'clanker';
const program = 'server/testing/stopping-server.ts';

const cookie = ({ operatorToken }: RunningServer) => ({
  cookie: `troth_operator=${operatorToken}`,
});

type Seen = {
  state: string;
  trouble: string | null;
  keyDestroyedAt: string | null;
  finishedAt: string | null;
};
type Certificate = {
  document: { complete: boolean; stores: { place: string; counted: number; remains: number }[] };
};

async function read<Body>(server: RunningServer, path: string): Promise<Body> {
  const answer = await fetch(new URL(`/v1/t/${TENANT}/${path}`, server.url), {
    headers: cookie(server),
  });
  return (await answer.json()) as Body;
}

async function until(what: string, is: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(100)) {
    if (await is()) return;
  }
  assert.fail(`not in time: ${what}`);
}

async function send(server: RunningServer, userId: string, events: number): Promise<void> {
  const batch = Array.from({ length: events }, (_, sequence) => ({
    type: 'track',
    userId,
    messageId: `${userId}-${sequence}`,
    event: 'agent_command',
    properties: { tool: 'shell', outcome: 'done', sequence, arguments: { note: userId } },
  }));
  const answer = await fetch(new URL(`/v1/t/${TENANT}/batch`, server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.writeKeys[TENANT]}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ batch }),
  });
  assert.equal(answer.status, 200);
}

/** The demand; undefined where the server died before it could answer. */
async function erase(server: RunningServer, userId: string): Promise<string | undefined> {
  try {
    const answer = await fetch(new URL(`/v1/t/${TENANT}/erasures`, server.url), {
      method: 'POST',
      headers: { ...cookie(server), 'content-type': 'application/json' },
      body: JSON.stringify({ handle: { kind: 'user', value: userId } }),
    });
    assert.equal(answer.status, 202);
    return ((await answer.json()) as { id: string }).id;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return undefined;
  }
}

const died = (server: RunningServer) =>
  until('the server is gone', async () => server.child.signalCode === 'SIGKILL');

/** The server ends after this step has come for the n-th time from now on. */
async function stopAfter(server: RunningServer, stop: Stop): Promise<void> {
  const armed = once(server.child, 'message');
  server.child.send(stop);
  await armed;
}

const STEPS: readonly (readonly [after: Step, times?: number])[] = [
  ['recorded'],
  ['journalled'],
  ['hidden'],
  ['rows-noted'],
  ['store-emptied', 1],
  ['store-emptied', 2],
  ['store-emptied', 4],
  ['deleted'],
  ['purged'],
  ['searched'],
  ['certified'],
];

let server: RunningServer;
before(async () => {
  server = await startRunning({ folder, program });
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const [step, times = 1] of STEPS) {
  test(`killed after “${step}” (${times}): resumed, and done only when it is`, async () => {
    const person = `ada-${randomBytes(8).toString('hex')}`;
    await send(server, person, 12);
    // Some are erased from the tables, the others on their way there.
    if (times === 1) await sleep(1_500);
    await stopAfter(server, { after: step, times });
    const id = await erase(server, person);
    await died(server);

    server = await startRunning({ folder, program });
    const { erasures } = await read<{ erasures: (Seen & { id: string })[] }>(server, 'erasures');
    const [newest] = erasures;
    assert.ok(newest && (id === undefined || newest.id === id));
    assert.equal(newest.state === 'done', newest.finishedAt !== null);
    assert.ok(newest.keyDestroyedAt, 'ready only when nobody can read the person any more');
    const path = `erasures/${newest.id}`;
    await until('the erasure is done', async () => {
      const { state, trouble } = await read<Seen>(server, path);
      assert.equal(trouble, null);
      return state === 'done';
    });
    const { document } = await read<Certificate>(server, `${path}/certificate`);
    assert.equal(document.complete, true, JSON.stringify(document));
    const table = document.stores.find(({ place }) => place === 'tenant_clanker.agent_commands');
    assert.ok(table?.remains === 0);
  });
}

for (const part of ['clickhouse', 'postgres', 'keeper'] as const) {
  test(`${part} dies in the middle of an erasure: it goes on when the engine is back`, async () => {
    const person = `bob-${randomBytes(8).toString('hex')}`;
    await send(server, person, 12);
    await sleep(1_500);
    const id = await erase(server, person);
    assert.ok(id);
    const pid = partOf(server, part);
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await until('the erasure is done', async () => {
      const seen = await read<Partial<Seen>>(server, `erasures/${id}`).catch(() => undefined);
      return seen?.state === 'done';
    });
    const { document } = await read<Certificate>(server, `erasures/${id}/certificate`);
    assert.equal(document.complete, true, JSON.stringify(document));
  });
}
