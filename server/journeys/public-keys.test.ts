/** What somebody can do who read a page's key in the page: on a real server, from outside. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningServer, startRunning } from '#testing/running';

let server: RunningServer;
before(async () => {
  server = await startRunning();
});
after(() => server?.stop());

const SHOP = 'https://shop.example';
const TENANT = 'loopkit';
// biome-ignore lint/suspicious/noExplicitAny: answers are judged member by member.
type Answer = { status: number; body: any; headers: Headers };

async function call(
  path: string,
  body: unknown,
  more: Record<string, string> = {},
  method = 'POST',
) {
  const headers = { 'content-type': 'application/json', ...more };
  const answer = await fetch(new URL(path, server.url), {
    method,
    headers,
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text && JSON.parse(text),
    headers: answer.headers,
  } as Answer;
}
const bearer = (key: string | undefined) => ({ authorization: `Bearer ${key}` });
const page = () => ({ ...bearer(server.browserKeys[TENANT]), origin: SHOP });
const backend = () => bearer(server.writeKeys[TENANT]);
const status = `/v1/t/${TENANT}/consents/status`;

test('a page of a fresh start may ask at once, at every door', async () => {
  const headers = { origin: SHOP, 'access-control-request-method': 'POST' };
  for (const path of [status, `/v1/t/${TENANT}/batch`, '/v1/track']) {
    const answer = await fetch(new URL(path, server.url), { method: 'OPTIONS', headers });
    assert.equal(answer.headers.get('access-control-allow-origin'), SHOP, path);
    assert.match(answer.headers.get('access-control-allow-headers') ?? '', /authorization/);
  }
});

test('a page speaks for its visitor, and for the person whom the service’s server linked to it', async () => {
  const [anonymousId, userId] = ['visitor-5f1c', 'member_77'];
  const visitor = await call(status, { handle: { anonymousId } }, page());
  assert.equal(visitor.status, 200);
  assert.equal(visitor.headers.get('access-control-allow-origin'), SHOP);
  const both = { handle: { userId, anonymousId } };
  await call('/v1/identify', { anonymousId, userId, context: { mode: 'pseudonymous' } }, page());
  const claimed = await call(status, both, page());
  assert.deepEqual([claimed.status, claimed.body.code], [403, 'consent-handle-not-shown']);
  const said = { anonymousId, userId, context: { mode: 'pseudonymous' } };
  assert.equal((await call('/v1/identify', said, backend())).status, 200);
  assert.equal((await call(status, both, page())).status, 200);
  assert.equal((await call(status, { handle: { userId } }, page())).status, 403);
  assert.equal((await call(status, { handle: { userId } }, backend())).status, 200);
});

test('a server’s key that stands in a page is refused at every door', async () => {
  const inPage = { ...backend(), origin: SHOP };
  for (const path of [status, '/v1/track', `/v1/t/${TENANT}/batch`]) {
    const refused = await call(path, { handle: { anonymousId: 'v' } }, inPage);
    assert.deepEqual([refused.status, refused.body.code], [403, 'ingest-origin-not-allowed'], path);
    assert.equal(refused.headers.get('access-control-allow-origin'), null);
  }
});

test('no address takes an id: asking with GET is told which methods there are', async () => {
  const answer = await call(`/v1/t/${TENANT}/consents?userId=a`, undefined, backend(), 'GET');
  assert.deepEqual([answer.status, answer.body.code], [405, 'method-not-allowed']);
});

test('a flood without a key is answered, and a page reads why it was refused', async () => {
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () => call('/v1/track', {}, { origin: SHOP })),
  );
  assert.ok(answers.every(({ body }) => body.code === 'ingest-key-missing'));
  assert.ok(answers.every(({ headers }) => headers.get('access-control-allow-origin') === SHOP));
});
