/** Power cuts under load: nothing acknowledged is lost, and nobody who was erased comes back. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultLoad, isAlive, signal, until, withChildren } from '#testing/faults';
import { openDisk } from '#testing/power';
import { asOperator, type RunningServer, startRunning } from '#testing/running';

const CUTS = 30;
const RECOVERY_MS_MAX = 60_000;
/** Numbers of the events of those who leave, apart from those of the load. */
const LEAVERS_FROM = 1_000_000;

/** The server and everything below it. */
function allOf(server: RunningServer): number[] {
  const found = [server.child.pid ?? 0];
  for (const pid of found)
    for (const one of withChildren(pid)) if (!found.includes(one)) found.push(one);
  return found;
}

/** Stops everything; what was started between the look and the signal is seen by the next look. */
function stopAll(server: RunningServer): number[] {
  for (let stopped = -1; ; ) {
    const pids = allOf(server);
    signal(pids, 'SIGSTOP');
    if (pids.length === stopped) return pids;
    stopped = pids.length;
  }
}

type Asked = { erasures: Map<string, string>; withdrawn: string[] };

/** A person comes, agrees, takes it back, and leaves; what was acknowledged is noted. */
async function comeAndGo(server: RunningServer, at: number, asked: Asked): Promise<void> {
  const person = `leaver-${at}`;
  const key = { authorization: `Bearer ${server.writeKeys['clanker']}` };
  const operator = { cookie: `troth_operator=${server.operatorToken}` };
  const post = async (path: string, body: object, headers: Record<string, string>) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    };
    const answer = await fetch(new URL(`/v1/t/clanker/${path}`, server.url), init);
    return { status: answer.status, said: (await answer.json()) as { id?: string } };
  };
  try {
    const handle = { userId: person };
    const event = {
      type: 'track',
      event: 'agent_command',
      userId: person,
      messageId: person,
      properties: { tool: 'shell', sequence: LEAVERS_FROM + at },
    };
    await post('batch', { batch: [event] }, key);
    await post('consents', { handle, purpose: 'research', granted: true }, key);
    const withdrawn = await post('consents/withdraw', { handle }, key);
    if (withdrawn.status === 200) asked.withdrawn.push(person);
    const stays = at % 2 === 0;
    if (stays) return;
    const body = { handle: { kind: 'user', value: person }, confirm: true };
    const erasing = await post('erasures', body, operator);
    if (erasing.status === 202 && erasing.said.id) asked.erasures.set(person, erasing.said.id);
  } catch {
    // Cut off in the middle: nothing was acknowledged.
  }
}

async function stateOf(server: RunningServer, erasure: string): Promise<string | undefined> {
  const answer = await asOperator(server, `/v1/t/clanker/erasures/${erasure}`);
  return ((await answer.json()) as { state?: string }).state;
}

async function isWithdrawn(server: RunningServer, person: string): Promise<boolean> {
  const answer = await fetch(new URL('/v1/t/clanker/consents/status', server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.writeKeys['clanker']}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ handle: { userId: person } }),
  });
  const { purposes } = (await answer.json()) as {
    purposes: Record<string, { granted: boolean }>;
  };
  return purposes['research']?.granted === false;
}

test(`${CUTS} power cuts under load: every acknowledged event is there once, and no erasure or withdrawal is undone`, {
  timeout: 900_000,
}, async (t) => {
  const disk = openDisk(mkdtempSync(join(tmpdir(), 'troth-power-')));
  const home = join(disk.path, 'home');
  let server = await startRunning({ folder: home });
  const load = new FaultLoad(server);
  const asked: Asked = { erasures: new Map(), withdrawn: [] };
  let slowest = 0;
  try {
    for (let cut = 0; cut < CUTS; cut += 1) {
      const batches = [load.batch(), load.batch(), load.batch()];
      const sending = Promise.all([
        ...batches.map((batch) => load.send(batch)),
        comeAndGo(server, cut, asked),
      ]);
      await sleep(Math.random() * 400);
      const pids = stopAll(server);
      await disk.cut(async () => {
        signal(pids, 'SIGKILL');
        await until('everything has ended', 10_000, () => !pids.some(isAlive));
      });
      await sending;
      server = await startRunning({ folder: home });
      load.server = server;
      slowest = Math.max(slowest, server.readyMs);
      assert.ok(server.readyMs < RECOVERY_MS_MAX, `ready after ${server.readyMs} ms`);
      for (const [person, erasure] of asked.erasures)
        assert.ok(await stateOf(server, erasure), `the erasure of ${person} is forgotten`);
      for (const batch of batches) assert.equal(await load.send(batch), 200);
    }
    for (const [person, erasure] of asked.erasures) {
      const isDone = async () => (await stateOf(server, erasure)) === 'done';
      await until(`the erasure of ${person} is done`, 60_000, isDone);
    }
    for (const person of asked.withdrawn) {
      if (asked.erasures.has(person)) continue;
      assert.ok(await isWithdrawn(server, person), `${person} had taken it back`);
    }
    assert.equal(load.acknowledged.size, load.sent);
    const leavers = new Set([...asked.erasures.keys()].map((name) => Number(name.slice(7))));
    const stored = await load.settleWith((number) => number >= LEAVERS_FROM);
    const back = stored.filter((number) => leavers.has(number - LEAVERS_FROM));
    assert.deepEqual(back, [], 'erased people came back');
    t.diagnostic(`a cut lost ${disk.loses}; slowest start ${Math.round(slowest)} ms`);
    t.diagnostic(
      `${load.sent} events, ${asked.erasures.size} erasures, ${asked.withdrawn.length} withdrawals`,
    );
  } finally {
    await server.stop();
    disk.remove();
  }
});
