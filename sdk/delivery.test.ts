import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { type ClientOptions, createClient } from './index.ts';
import { FakeServer, PURPOSES } from './testing/fake-server.ts';

function open(server: FakeServer, options: Partial<ClientOptions> = {}) {
  const clock = { now: Date.parse('2026-03-02T12:00:00Z') };
  const client = createClient({
    endpoint: 'https://data.example.com',
    writeKey: 'wk_test',
    tenant: 'loopkit',
    storage: 'memory',
    essential: ['*'],
    fetch: server.fetch,
    now: () => clock.now,
    random: () => 0.5,
    ...options,
  });
  return { client, clock };
}

/** Starts it on a free port of this machine; returns its address. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const many = (count: number, work: (n: number) => void) => {
  for (let n = 0; n < count; n += 1) work(n);
};

test('the queue holds what it may, drops the oldest beyond it, and counts what it dropped', async () => {
  for (const [count, dropped] of [
    [9, 0],
    [10, 0],
    [11, 1],
  ] as const) {
    const server = new FakeServer();
    const { client } = open(server, { queueEvents: 10 });
    many(count, (n) => client.track('e', { n }));
    assert.equal(client.counts().dropped['queue-full'] ?? 0, dropped);
    await client.flush();
    assert.equal(server.events()[0].properties.n, dropped);
    assert.equal(server.events().length, Math.min(count, 10));
  }
});

test('a request holds at most so many events, and at most 60 KB', async () => {
  const server = new FakeServer();
  const { client } = open(server, { batchEvents: 50 });
  many(51, (n) => client.track('e', { n }));
  await client.flush();
  assert.deepEqual(
    server.batches().map(({ body }) => body.batch.length),
    [50, 1],
  );
  many(10, () => client.track('wide', { text: 'é'.repeat(10_000) }));
  client.track('huge', { text: 'x'.repeat(60_000) });
  await client.flush();
  const sizes = server.batches().map(({ request }) => Buffer.byteLength(request.body ?? ''));
  assert.ok(
    sizes.every((size) => size <= 60_000),
    `sizes: ${sizes}`,
  );
  assert.equal(server.events().length, 61);
  assert.equal(client.counts().dropped['too-large'], 1);
});

test('a full batch leaves at once, a small one after its time', async () => {
  const server = new FakeServer();
  const { client } = open(server, { batchEvents: 3, batchMs: 60 });
  await client.flush();
  many(3, () => client.track('e'));
  await soon(20);
  assert.equal(server.events().length, 3);
  client.track('late');
  await soon(20);
  assert.equal(server.events().length, 3);
  await soon(80);
  assert.equal(server.events().length, 4);
  await client.shutdown(10);
});

test('trouble is met with pauses that double, half of each by this die, and the same messageId', async () => {
  const server = new FakeServer();
  const { client, clock } = open(server, { retryMs: [1_000, 4_000] });
  await client.flush();
  server.next.batch.push('away', { status: 503 }, { status: 408 }, { status: 429 }, 'away');
  client.track('e');
  const pauses: number[] = [];
  const started = clock.now;
  for (let tries = 1; tries <= 6; tries += 1) {
    while (server.batches().length < tries) {
      await client.flush();
      clock.now += 100;
    }
    pauses.push(clock.now - 100 - started);
  }
  const steps = pauses.map((at, n) => at - (pauses[n - 1] ?? 0));
  assert.deepEqual(steps, [0, 500, 1_000, 2_000, 2_000, 2_000]);
  const ids = new Set(server.events().map(({ messageId }) => messageId));
  assert.equal(ids.size, 1);
  assert.deepEqual(client.counts(), { waiting: 0, delivered: 1, dropped: {} });
});

test('full jitter draws from nothing up to the bound', async () => {
  for (const [random, pause] of [
    [0, 0],
    [0.999, 999],
  ] as const) {
    const server = new FakeServer();
    const { client, clock } = open(server, { random: () => random });
    server.next.batch.push('away');
    client.track('e');
    await client.flush();
    clock.now += pause - 1;
    await client.flush();
    const early = server.batches().length;
    clock.now += 1;
    await client.flush();
    assert.deepEqual([early, server.batches().length], pause === 0 ? [2, 2] : [1, 2]);
  }
});

test('Retry-After is honoured, in seconds and as a date', async () => {
  for (const after of ['120', 'Mon, 02 Mar 2026 12:02:00 GMT']) {
    const server = new FakeServer();
    const { client, clock } = open(server, { random: () => 0 });
    server.next.batch.push({ status: 429, headers: { 'retry-after': after } });
    client.track('e');
    await client.flush();
    clock.now += 119_999;
    await client.flush();
    assert.equal(server.batches().length, 1);
    clock.now += 1;
    await client.flush();
    assert.equal(server.batches().length, 2);
  }
});

test('what the server refuses is never sent again', async () => {
  for (const status of [400, 401, 403, 404, 409, 413, 415, 422]) {
    const server = new FakeServer();
    const { client, clock } = open(server);
    server.next.batch.push({ status });
    client.track('e');
    await client.flush();
    clock.now += 3_600_000;
    await client.flush();
    assert.equal(server.batches().length, 1, `status ${status}`);
    assert.deepEqual(client.counts().dropped, { 'refused-by-server': 1 });
  }
});

test('after so many tries events are given up, and later ones still go', async () => {
  const server = new FakeServer();
  const { client, clock } = open(server, { tries: 3 });
  server.next.batch.push('away', 'away', 'away');
  client.track('old');
  for (let tries = 0; tries < 3; tries += 1) {
    await client.flush();
    clock.now += 60_000;
  }
  client.track('new');
  await client.flush();
  assert.equal(server.names().at(-1), 'new');
  assert.deepEqual(client.counts(), { waiting: 0, delivered: 1, dropped: { 'gave-up': 1 } });
});

test('a consent service in trouble does not hold back essential events', async () => {
  const server = new FakeServer();
  const { client } = open(server);
  server.next.consents.push({ status: 503 });
  client.track('e');
  await client.flush();
  assert.deepEqual(server.names(), ['e']);
});

const read = async (request: IncomingMessage) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
};

test('over real HTTP: a server that fails once gets each event once more, and all are delivered', async () => {
  const seen: { type: string | undefined; ids: string[] }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await read(request);
    response.setHeader('content-type', 'application/json');
    if (request.url?.endsWith('/consents/status')) {
      response.end(JSON.stringify({ purposes: PURPOSES }));
      return;
    }
    assert.equal(request.headers.authorization, 'Bearer wk_real');
    assert.equal(request.headers.cookie, undefined);
    const { batch } = JSON.parse(body) as { batch: { messageId: string }[] };
    const ids = batch.map(({ messageId }) => messageId);
    seen.push({ type: request.headers['content-type'], ids });
    response.statusCode = seen.length === 1 ? 503 : 200;
    response.end(JSON.stringify({ success: true, accepted: batch.length }));
  };
  const server = createServer((request, response) => void answer(request, response));
  const endpoint = await listening(server);
  const client = createClient({
    endpoint,
    writeKey: 'wk_real',
    tenant: 'loopkit',
    retryMs: [20, 100],
  });
  many(3, (n) => client.track('e', { n }));
  assert.equal(await client.shutdown(4_000), true);
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0]?.ids, seen[1]?.ids);
  assert.equal(seen[0]?.type, 'application/json');
  assert.equal(client.counts().delivered, 3);
  server.close();
  server.closeAllConnections();
});

test('a server that follows another address is not followed', async () => {
  let asked = 0;
  const other = createServer((_, response) => {
    asked += 1;
    response.end('{}');
  });
  const far = await listening(other);
  const server = createServer((_, response) => {
    response.writeHead(307, { location: `${far}/` }).end();
  });
  const endpoint = await listening(server);
  const client = createClient({
    endpoint,
    writeKey: 'wk_real',
    tenant: 'loopkit',
    essential: ['*'],
  });
  client.track('e');
  await client.flush();
  assert.equal(asked, 0);
  await client.shutdown(1);
  for (const each of [server, other]) {
    each.close();
    each.closeAllConnections();
  }
});
