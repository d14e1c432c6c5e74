/** While an engine is away, every door says so: nothing is answered as a defect of the server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { partOf, signal, until, withChildren } from '#testing/faults';
import { startRunning } from '#testing/running';

const AWAY_MS = 4_000;
const CODES = /^(database-unavailable|events-unavailable|keeper-unavailable|not-ready)$/;
const PATHS = [
  '/readyz',
  '/v1/t/clanker/policy',
  '/v1/t/clanker/policy/revisions',
  '/v1/t/clanker/promises',
  '/v1/t/clanker/data-map',
  '/v1/t/clanker/pipeline',
  '/v1/t/clanker/promises/days',
  '/v1/availability',
  '/v1/operator/t/clanker/write-keys',
  '/v1/operator/keys/status',
];

// A keeper that died is back within the time that a call to it waits, so nobody sees it away.
for (const part of ['postgres', 'clickhouse'] as const) {
  test(`while ${part} is away, what needs it answers 503 with a problem and when to come back`, {
    timeout: 90_000,
  }, async (t) => {
    const server = await startRunning();
    const seen = new Map<string, number>();
    try {
      const entered = await fetch(server.operatorLink);
      const cookie = entered.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      assert.ok(cookie);
      const forged = `troth_operator=${'a'.repeat(43)}`;
      const ask = async (path: string, by: string) => {
        const answer = await fetch(new URL(path, server.url), { headers: { cookie: by } });
        const body = await answer.text();
        const { code = '' } = answer.status >= 500 ? (JSON.parse(body) as { code: string }) : {};
        const name = `${answer.status} ${code}`.trim();
        seen.set(name, (seen.get(name) ?? 0) + 1);
        if (answer.status < 500) return;
        assert.equal(answer.status, 503, `${path}: ${body}`);
        assert.match(code, CODES, path);
        assert.ok(Number(answer.headers.get('retry-after')) > 0, `${path}: ${body}`);
      };
      // Its keeper starts it again at once: it is ended as often.
      const end = Date.now() + AWAY_MS;
      while (Date.now() < end) {
        signal([partOf(server, part) ?? 0].filter(Boolean), 'SIGKILL');
        const asked = PATHS.flatMap((path) => [
          ask(path, cookie),
          ask(path, forged),
          ask(path, ''),
        ]);
        await Promise.all(asked);
        await sleep(20);
      }
      assert.ok(
        [...seen.keys()].some((name) => name.startsWith('503')),
        'it was away',
      );
      const back = async () => (await fetch(new URL('/readyz', server.url))).status === 200;
      await until('it is back', 30_000, back);
      const lines = server.log().split('\n');
      assert.deepEqual(
        lines.filter((line) => line.includes('bug.seen')),
        [],
      );
      if (part === 'postgres') assert.match(server.log(), /"engine\.away","engine":"postgresql"/);
      t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
    } finally {
      await server.stop();
    }
  });
}

for (const [part, name] of [
  ['postgres', 'postgresql'],
  ['clickhouse', 'clickhouse'],
] as const) {
  test(`a ${part} that is there and says nothing is told from one that is ready, in seconds`, {
    timeout: 60_000,
  }, async () => {
    const server = await startRunning();
    const stopped = withChildren(partOf(server, part) ?? 0);
    const ready = () => fetch(new URL('/readyz', server.url));
    try {
      assert.equal((await ready()).status, 200);
      signal(stopped, 'SIGSTOP');
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: 50 }, ready));
      assert.ok(performance.now() - began < 6_000);
      for (const answer of answers) {
        assert.equal(answer.status, 503);
        const { code, detail } = (await answer.json()) as { code: string; detail: string };
        assert.deepEqual([code, detail], ['not-ready', `Waiting for ${name}.`]);
      }
      signal(stopped, 'SIGCONT');
      await until('it is back', 20_000, async () => (await ready()).status === 200);
    } finally {
      signal(stopped, 'SIGCONT');
      await server.stop();
    }
  });
}
