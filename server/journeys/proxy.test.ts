/** The server behind a reverse proxy that ends TLS: it sees the public name, plainly asked for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startRunning } from '#testing/running';

const PUBLIC_URL = 'https://troth.example.org';

let server: RunningServer;
before(async () => {
  server = await startRunning({
    env: { TROTH_PUBLIC_URL: PUBLIC_URL, TROTH_TRUSTED_PROXIES: '127.0.0.0/8,::1' },
  });
});
after(() => server.stop());

/** As a proxy asks: with the name that the browser said. `fetch` lets nobody choose that. */
async function ask(
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  const asking = request(new URL(path, server.url), { method, headers });
  asking.end(body);
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

test('the console of the public name may ask, no other may, and its session is for TLS only', async () => {
  const cookie = `troth_operator=${server.operatorToken}`;
  const make = (host: string, origin: string) =>
    ask('POST', '/v1/operator/links', { host, origin, cookie });
  assert.equal((await make('troth.example.org', 'https://evil.example')).status, 401);
  assert.equal((await make('localhost', PUBLIC_URL)).status, 401);
  const made = await make('troth.example.org', PUBLIC_URL);
  assert.equal(made.status, 201);
  const { path } = JSON.parse(made.text) as { path: string };
  const entered = await ask('GET', path, { host: 'troth.example.org' });
  assert.match(entered.headers['set-cookie']?.[0] ?? '', /; Secure/);
  const metrics = await ask('GET', '/metrics', { host: 'troth.example.org' });
  assert.equal(metrics.status, 401, 'what is open on loopback is closed to who comes from outside');
  const security = await ask('GET', '/.well-known/security.txt', { host: 'troth.example.org' });
  assert.match(security.text, /Policy: https:\/\/troth\.example\.org\//);
  assert.equal((await ask('GET', '/healthz', { host: 'other.example.org' })).status, 421);
});

/** Conducktr takes 6,000 requests a minute of one key and of one address, five seconds' at once. */
const AT_ONCE = 500;

/** Sends more than one address may and fewer than two keys may; says how many were refused. */
async function refusedOf(forwarded: (n: number) => string): Promise<number> {
  const keys = [server.writeKeys['conducktr'], server.browserKeys['conducktr']];
  const statuses = await Promise.all(
    Array.from({ length: AT_ONCE * 1.7 }, async (_, n) => {
      const answer = await fetch(new URL('/v1/t/conducktr/batch', server.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${keys[n % 2]}`,
          'content-type': 'application/json',
          'x-forwarded-for': forwarded(n),
        },
        body: '{"batch":[{"type":"track","event":"cost","properties":{"units":1}}]}',
      });
      await answer.body?.cancel();
      return answer.status;
    }),
  );
  return statuses.filter((status) => status === 429).length;
}

test('an address behind the proxy has a limit of its own, and nothing it writes makes a new one', async () => {
  assert.ok((await refusedOf((n) => `192.0.2.${n % 250}, 198.51.100.4`)) > 0);
  await sleep(5_500);
  assert.equal(await refusedOf((n) => `198.51.100.${5 + (n % 4)}`), 0);
});
