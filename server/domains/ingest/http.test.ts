import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { authorize } from '#core/policy';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { enrichmentRoutes, issueWriteKey, listEnrichments, revokeWriteKey } from './index.ts';
import { type Answer, type Door, openDoor } from './testing/small-world.ts';

const more = `ingest:
  enrich:
    session: { default: on, can-disable: true }
    time-zone: { default: on, can-disable: false }
  limits: { events-per-second: 1000000, batch: 500, body: 256KB }
`;
const slow = 'ingest:\n  limits: { events-per-second: 5, batch: 10, body: 1KB }\n';

let door: Door;
const world = useWorld({
  policies: [
    (service) => samplePolicy(service, { more }),
    (service) => samplePolicy(service, { more: slow }),
  ],
  setUp: async (opened) => {
    door = await openDoor(opened);
  },
});
after(() => door?.close());

const event = (tool = 'x') => ({ event: 'used', properties: { tool } });
const code = ({ status, body }: Answer) => [status, body['code']];

test('only POST sends events, and the answer says so', async () => {
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answer = await door.send('/v1/track', undefined, { method });
    assert.deepEqual(code(answer), [405, 'ingest-method-not-allowed']);
    assert.equal(answer.headers.get('allow'), 'POST, OPTIONS');
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
});

test('bodies are JSON only', async () => {
  for (const type of [
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data',
  ]) {
    const answer = await door.send('/v1/track', event(), { headers: { 'content-type': type } });
    assert.deepEqual(code(answer), [415, 'ingest-type-not-supported']);
  }
  for (const type of ['application/json; charset=utf-8', 'text/plain;charset=UTF-8']) {
    const answer = await door.send('/v1/track', event(), { headers: { 'content-type': type } });
    assert.equal(answer.status, 200, type);
  }
});

test('an encoding that is not known is refused by name', async () => {
  const answer = await door.send('/v1/track', event(), {
    headers: { 'content-encoding': 'compress' },
  });
  assert.deepEqual(code(answer), [415, 'ingest-encoding-not-supported']);
});

test('without a key, with a wrong one, and with a revoked one, nothing is taken', async () => {
  const none = await door.send('/v1/track', event(), { key: '' });
  assert.deepEqual(code(none), [401, 'ingest-key-missing']);
  assert.equal(none.headers.get('www-authenticate'), 'Bearer realm="write-key"');
  const wrong = `${door.keyOf(world.tenant).slice(0, -4)}AAAA`;
  for (const key of ['nonsense', 'tk_AAAAAAAAAAAA_'.padEnd(59, 'A'), wrong]) {
    assert.deepEqual(code(await door.send('/v1/track', event(), { key })), [
      401,
      'ingest-key-unknown',
    ]);
  }
  const context = { tenant: world.tenant, revision: 1 };
  const { sql } = world.db;
  const issue = authorize(context, world.operator, 'write-key.issue');
  const { id, text } = await issueWriteKey(sql, issue, { now: new Date() });
  assert.equal((await door.send('/v1/track', event(), { key: text })).status, 200);
  await revokeWriteKey(sql, authorize(context, world.operator, 'write-key.revoke'), id, new Date());
  await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(code(await door.send('/v1/track', event(), { key: text })), [
    401,
    'ingest-key-unknown',
  ]);
});

test('a key is taken as Bearer, as the name or password of Basic, and inside the body', async () => {
  const key = door.keyOf(world.tenant);
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const authorization of [`bearer ${key}`, basic(`${key}:`), basic(`:${key}`)]) {
    const answer = await door.send('/v1/track', event(), { key: '', headers: { authorization } });
    assert.equal(answer.status, 200, authorization.slice(0, 6));
  }
  const inside = await door.send('/v1/batch', { batch: [event()], writeKey: key }, { key: '' });
  assert.equal(inside.status, 200);
});

test('a key of one service, of another scope or for another origin opens nothing', async () => {
  const other = await door.send(`/v1/t/${world.tenants[1]}/track`, event());
  assert.deepEqual(code(other), [403, 'ingest-key-not-allowed']);
  const permit = authorize(
    { tenant: world.tenant, revision: 1 },
    world.operator,
    'write-key.issue',
  );
  const now = new Date();
  const consent = await issueWriteKey(world.db.sql, permit, { scopes: ['consent'], now });
  const scoped = await door.send('/v1/track', event(), { key: consent.text });
  assert.deepEqual(code(scoped), [403, 'ingest-key-not-allowed']);
  const shop = await issueWriteKey(world.db.sql, permit, { origins: ['https://shop.test'], now });
  const send = (origin: string) =>
    door.send('/v1/track', event(), { key: shop.text, headers: { origin } });
  assert.deepEqual(code(await send('https://evil.test')), [403, 'ingest-origin-not-allowed']);
  const allowed = await send('https://shop.test');
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://shop.test');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
});

test('a preflight is answered for origins that some key allows, never with credentials', async () => {
  const answer = await fetch(`${door.url}/v1/t/${world.tenant}/batch`, {
    method: 'OPTIONS',
    headers: { origin: 'https://site.test', 'access-control-request-method': 'POST' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://site.test');
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);
});

test('too many events at once, or a body beyond the limit, is refused whole', async () => {
  const key = door.keyOf(world.tenants[1]!);
  const long = await door.send('/v1/batch', { batch: Array(11).fill({ a: 1 }) }, { key });
  assert.deepEqual(code(long), [413, 'ingest-batch-too-long']);
  const large = await door.send('/v1/track', event('x'.repeat(2_000)), { key });
  assert.deepEqual(code(large), [413, 'ingest-body-too-large']);
});

test('over the rate a request is refused whole, with the seconds to wait', async () => {
  const key = door.keyOf(world.tenants[1]!);
  const answers: Answer[] = [];
  for (let i = 0; i < 4; i++) {
    answers.push(await door.send('/v1/batch', { batch: Array(5).fill(event()) }, { key }));
  }
  const refused = answers.find(({ status }) => status === 429);
  assert.ok(refused);
  assert.deepEqual(code(refused), [429, 'ingest-rate-exceeded']);
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
});

test('a key whose service has no policy in force is told so', async () => {
  await world.db.admin`insert into tenants (id, schema, created_at)
                       values ('hollow', 'tenant_hollow', now()) on conflict do nothing`;
  const permit = authorize(
    { tenant: 'hollow' as never, revision: 1 },
    world.operator,
    'write-key.issue',
  );
  const { text } = await issueWriteKey(world.db.sql, permit, { now: new Date() });
  assert.deepEqual(code(await door.send('/v1/track', event(), { key: text })), [
    404,
    'ingest-tenant-unknown',
  ]);
});

const BROKEN: [string, string | Buffer, string][] = [
  ['empty', '', 'ingest-json-broken'],
  ['cut off', '{"event":"us', 'ingest-json-broken'],
  [
    'not UTF-8',
    Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    'ingest-json-broken',
  ],
  ['a number', '1e400', 'ingest-json-broken'],
  ['a text', '"hello"', 'ingest-json-broken'],
  ['null', 'null', 'ingest-json-broken'],
  ['100,000 deep', '['.repeat(100_000), 'ingest-json-too-complex'],
  ['100,000 deep in objects', '{"a":'.repeat(40_000), 'ingest-json-too-complex'],
];
for (const [name, body, expected] of BROKEN) {
  test(`a body that is ${name} is refused with a sentence`, async () => {
    assert.deepEqual(code(await door.send('/v1/track', body)), [400, expected]);
  });
}

test('a batch that is no list is told so, and an event may have a member of that name', async () => {
  for (const batch of [7, null, {}, 'x']) {
    const answer = await door.send('/v1/batch', { batch });
    assert.deepEqual(code(answer), [400, 'ingest-json-broken']);
    assert.equal(answer.body['detail'], 'batch must be a list of events');
  }
  assert.equal((await door.send('/v1/track', { ...event(), batch: 7 })).status, 200);
});

test('numbers that are none, lone surrogates and doubled keys harm nothing', async () => {
  const infinite = '{"event":"used","properties":{"amount":1e400,"tool":"t"}}';
  assert.equal((await door.send('/v1/track', infinite)).status, 422);
  const surrogate = '{"event":"used","properties":{"tool":"\\ud800x","tool":"\\udc00y"}}';
  assert.equal((await door.send('/v1/track', surrogate)).status, 200);
});

test('__proto__ is a name like any other, and Object.prototype stays as it was', async () => {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  const body =
    '{"event":"used","__proto__":{"x":1},"context":{"__proto__":{"ip":"1"}},"properties":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"tool":"p"}}';
  assert.equal((await door.send('/v1/track', body)).status, 200);
  assert.equal(Object.getOwnPropertyNames(Object.prototype).length, before);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

/**
 * Milliseconds of processor time that this thread used: what it held the loop for, on any machine.
 */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

test('bombs in gzip, Brotli and zstd are stopped while they grow', async () => {
  const bomb = Buffer.alloc(64 * 1024 * 1024, 0x20);
  const packed = {
    gzip: gzipSync(bomb),
    br: brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    zstd: zstdCompressSync(bomb),
  };
  for (const [name, body] of Object.entries(packed)) {
    const rss = process.memoryUsage().rss;
    const from = busyMs();
    const answer = await door.send('/v1/batch', body, { headers: { 'content-encoding': name } });
    assert.deepEqual(code(answer), [413, 'ingest-body-too-large'], name);
    assert.ok(busyMs() - from < 1_000, name);
    assert.ok(process.memoryUsage().rss - rss < 32 * 1024 * 1024, name);
  }
  const broken = await door.send('/v1/batch', Buffer.from('no gzip'), {
    headers: { 'content-encoding': 'gzip' },
  });
  assert.deepEqual(code(broken), [400, 'ingest-body-broken']);
});

test('a connection that breaks off in the middle of a body leaves nothing behind', async () => {
  const { port, hostname } = new URL(door.url);
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((done) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /v1/track HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${door.keyOf(world.tenant)}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"event":`,
        );
        setTimeout(() => socket.destroy(), 2);
      });
      socket.on('close', () => done());
    });
  }
  assert.equal((await door.send('/v1/track', event('after'))).status, 200);
});

/** A small generator with a seed, so that a failure can be seen again. */
function dice(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\u00',
  '\\',
  '1e999',
  'null',
  'true',
  '"event"',
  '"batch"',
  '"properties"',
  '"__proto__"',
  ' ',
  '\u0000',
  '"a@b.c"',
  '-',
  '0x',
  '"type":"identify"',
  '"userId":{}',
  '"timestamp":"x"',
  '"context":[]',
  '\ud800',
];

function fuzzed(roll: (below: number) => number): { body: Buffer; encoding: string | undefined } {
  const valid = JSON.stringify({
    batch: [
      {
        type: 'track',
        event: 'used',
        userId: 'u',
        context: { page: { path: '/x' } },
        properties: { tool: 'a', ok: true, amount: 1 },
      },
    ],
  });
  let text = valid;
  if (roll(3) === 0)
    text = Array.from({ length: roll(40) }, () => PIECES[roll(PIECES.length)]).join('');
  const bytes = Buffer.from(text);
  for (let i = roll(6); i > 0 && bytes.length > 0; i--) bytes[roll(bytes.length)] = roll(256);
  const cut = bytes.subarray(0, roll(4) === 0 ? roll(bytes.length + 1) : bytes.length);
  const encoding = ['gzip', 'br', 'zstd', undefined, undefined, undefined][roll(6)];
  if (encoding === undefined) return { body: cut, encoding };
  const packed =
    encoding === 'gzip'
      ? gzipSync(cut)
      : encoding === 'br'
        ? brotliCompressSync(cut, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
        : zstdCompressSync(cut);
  if (roll(2) === 0 && packed.length > 0) packed[roll(packed.length)] = roll(256);
  return { body: packed, encoding };
}

test('10,000 malformed bodies: never a 5xx, never a hang, and the loop stays free', async () => {
  const roll = dice(20_261_121);
  const bodies = Array.from({ length: 10_000 }, () => fuzzed(roll));
  const paths = ['track', 'batch', 'identify', 'page', 'group', 'alias', 'tracks', 'import'];
  const seen = new Map<number, number>();
  let heldMs = 0;
  let last = busyMs();
  const watch = setInterval(() => {
    heldMs = Math.max(heldMs, busyMs() - last);
    last = busyMs();
  }, 5);
  for (let sent = 0; sent < bodies.length; sent += 20) {
    const round = bodies.slice(sent, sent + 20).map(({ body, encoding }) => {
      const headers: Record<string, string> = encoding ? { 'content-encoding': encoding } : {};
      return door.send(`/v1/${paths[roll(paths.length)]}`, body, { headers });
    });
    for (const { status } of await Promise.all(round)) {
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  }
  clearInterval(watch);
  const all = JSON.stringify([...seen]);
  assert.ok(
    [...seen.keys()].every((status) => status < 500),
    all,
  );
  assert.ok((seen.get(400) ?? 0) > 500 && (seen.get(200) ?? 0) > 100, all);
  assert.ok(heldMs < 1_000, `${heldMs} ms`);
});

test('an enrichment is switched off where the policy lets it, and the next event has none', async () => {
  const { db, policies, clock, operator, tenant } = world;
  const routes = enrichmentRoutes({ db, policies, clock, authenticate: () => operator });
  routes.onError((error) =>
    Response.json(error, { status: (error as unknown as { status: number }).status }),
  );
  const put = async (name: string, enabled: unknown, forSeconds?: number) => {
    const body = JSON.stringify({ enabled, forSeconds });
    const answer = await routes.request(`/v1/t/${tenant}/enrichments/${name}`, {
      method: 'PUT',
      body,
    });
    return {
      status: answer.status,
      body: (await answer.json()) as Record<string, unknown>,
      headers: answer.headers,
    };
  };
  assert.deepEqual(code(await put('time-zone', false)), [409, 'enrichment-not-optional']);
  assert.deepEqual(code(await put('horoscope', false)), [404, 'enrichment-unknown']);
  assert.deepEqual(code(await put('session', false, 0)), [400, 'ingest-json-broken']);
  assert.equal((await put('session', false)).status, 200);
  const stateIn = async () => {
    const given = { db, inForce: policies.inForce(tenant) };
    const at = (seconds: number) => new Date(clock.now().getTime() + seconds * 1_000);
    const states = await Promise.all([0, 61].map((late) => listEnrichments(given, at(late))));
    return states.map((all) => all.find(({ name }) => name === 'session')?.enabled);
  };
  assert.equal((await put('session', true, 60)).status, 200);
  assert.deepEqual(await stateIn(), [true, false], 'for a while, then as it was set for good');
  assert.equal((await put('session', false)).status, 200);
  assert.deepEqual(await stateIn(), [false, false]);
  await new Promise((done) => setTimeout(done, 300));
  await door.send('/v1/track', { ...event('unlinked'), anonymousId: 'browser' });
  const rows = await door.rows<{ f_tool: string; session: string }>(tenant, 'usage');
  assert.equal(String(rows.find(({ f_tool }) => f_tool === 'unlinked')?.session), '0');
});
