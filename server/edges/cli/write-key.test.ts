import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startRunning } from '#testing/running';
import { runCommand } from './index.ts';

let server: RunningServer;
before(async () => {
  server = await startRunning();
});
after(() => server.stop());

async function troth(...args: string[]): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const say = (text: string) => void lines.push(text);
  const code = await runCommand(args, {
    root: '/nowhere',
    dataDir: server.dataDir,
    policiesDir: '/nowhere',
    keyring: { dir: '/nowhere' },
    readInput: async () => '',
    colour: false,
    today: '2026-03-02',
    print: say,
    complain: say,
  });
  return { code, said: lines.join('\n') };
}

const AT = ['--tenant', 'clanker'];

async function statusOf(key: string, origin?: string): Promise<number> {
  const answer = await fetch(new URL('/v1/t/clanker/batch', server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(origin && { origin }),
    },
    body: JSON.stringify({
      batch: [
        { type: 'track', event: 'access', anonymousId: 'a1', properties: { resource: 'api' } },
      ],
    }),
  });
  await answer.body?.cancel();
  return answer.status;
}

test('a key is shown once, sends events, is listed without its secret, and after revoking opens nothing', async () => {
  const made = await troth('key', 'make', ...AT, '--name', 'checkout', '--json');
  const { id, key } = JSON.parse(made.said) as { id: string; key: string };
  assert.equal(made.code, 0);
  assert.equal(await statusOf(key), 200);
  const listed = await troth('key', 'list', ...AT);
  assert.match(listed.said, new RegExp(`${id} +checkout +ingest +server`));
  assert.ok(!listed.said.includes(key.slice(16)));
  const revoked = await troth('key', 'revoke', id, ...AT);
  assert.deepEqual(revoked, { code: 0, said: `${id} opens nothing any more` });
  for (const end = Date.now() + 5_000; Date.now() < end && (await statusOf(key)) === 200; ) {
    await sleep(50);
  }
  assert.equal(await statusOf(key), 401);
  assert.ok(!(await troth('key', 'list', ...AT)).said.includes('checkout'));
  assert.equal((await troth('key', 'revoke', id, ...AT)).code, 1);
});

test('the keys that a start made are listed too, and can be taken away', async () => {
  const listed = (await troth('key', 'list', ...AT)).said.split('\n');
  const own = listed.filter((line) => line.includes('(development)'));
  assert.deepEqual(own.map((line) => line.split(/ {2,}/)[3]).sort(), ['*', 'server']);
  const secret = own.find((line) => line.includes('  server  '));
  const id = secret?.split(' ')[0] ?? '';
  assert.ok(server.writeKeys['clanker']?.includes(id));
  assert.equal((await troth('key', 'revoke', id, ...AT)).code, 0);
  assert.ok(!(await troth('key', 'list', ...AT)).said.includes(id));
});

test('a key of pages is for the origins that are named, and may what its scopes say', async () => {
  const origin = 'https://shop.example,https://www.shop.example';
  const made = await troth('key', 'make', ...AT, '--name', 'shop', '--origin', origin);
  const [key = ''] = made.said.split('\n');
  assert.match(made.said, /shown once, and is for pages/);
  assert.equal(await statusOf(key, 'https://www.shop.example'), 200);
  assert.equal(await statusOf(key, 'https://evil.example'), 403);
  const scoped = await troth('key', 'make', ...AT, '--name', 'desk', '--scope', 'consent,erase');
  assert.equal(await statusOf(scoped.said.split('\n')[0] ?? ''), 403);
});

test('what is no key, scope, origin or service is refused in words, and none is made', async () => {
  for (const [args, says] of [
    [['key'], /key make, key list, or key revoke ID/],
    [['key', 'list'], /--tenant/],
    [['key', 'make', ...AT], /--name/],
    [['key', 'make', ...AT, '--name', 'No Word'], /JSON|fields/],
    [['key', 'make', ...AT, '--name', 'a', '--scope', 'all'], /JSON|fields/],
    [['key', 'make', ...AT, '--name', 'a', '--origin', 'shop.example'], /JSON|fields/],
    [['key', 'make', '--tenant', 'nobody', '--name', 'a'], /No policy of this name/],
    [['key', 'revoke', '../../x', ...AT], /12 letters|served/],
  ] as const) {
    const { code, said } = await troth(...args);
    assert.ok(code > 0, said);
    assert.match(said, says);
  }
  assert.doesNotMatch((await troth('key', 'list', ...AT)).said, / a /);
});
