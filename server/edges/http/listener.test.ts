/** What arrives at the socket before any route is looked for. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Hono } from 'hono';
import type { Edge } from './edge.ts';
import { type ListenerOptions, listen } from './listener.ts';

const open = (more: Partial<ListenerOptions> = {}) => {
  const app = new Hono<Edge>().get('/healthz', (c) => c.text('ok'));
  return listen({ app, port: 0, host: '127.0.0.1', ...more });
};

function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('close', () => resolve(answer));
  });
}

test('what is not HTTP is answered request-broken and cut off', async (t) => {
  const listener = await open();
  t.after(() => listener.close());
  const answer = await say(listener.port, 'hello?\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /x-frame-options: DENY/);
  assert.match(answer, /"code":"request-broken"/);
});

test('a host and a path that cannot be read are answered with a problem like everything else', async (t) => {
  const listener = await open();
  t.after(() => listener.close());
  const heads = [
    ...['a b', 'x/../y', 'a@b', '[::1', 'x:99999999', '%zz'].map((host) => `/healthz|${host}`),
    '/a\\b|localhost',
    '*|localhost',
  ];
  for (const head of heads) {
    const [path, host] = head.split('|');
    const request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    const answer = await say(listener.port, request);
    assert.match(answer, /^HTTP\/1\.1 400 /, head);
    assert.match(answer, /content-type: application\/problem\+json/, head);
    assert.match(answer, /x-content-type-options: nosniff/, head);
    assert.match(answer, /"code":"request-broken"/, head);
  }
  const fine = await say(
    listener.port,
    'GET /healthz HTTP/1.1\r\nhost: localhost:1\r\nconnection: close\r\n\r\n',
  );
  assert.match(fine, /^HTTP\/1\.1 200 /);
});

test('the fast path is asked first, and what it leaves goes to the app', async (t) => {
  const listener = await open({
    fastPath: (request, response) => {
      if (request.url !== '/v1/t/clanker/batch') return false;
      response.end('taken');
      return true;
    },
  });
  t.after(() => listener.close());
  const at = (path: string) => fetch(`http://127.0.0.1:${listener.port}${path}`);
  assert.equal(await (await at('/v1/t/clanker/batch')).text(), 'taken');
  assert.equal((await at('/healthz')).status, 200);
});
