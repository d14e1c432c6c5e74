import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Hono } from 'hono';
import { KeyId } from '#base/ids';
import { Problem } from '#base/problem';
import { openRefusals, type RefusalLog, readAudit } from '#core/audit';
import type { Actor } from '#core/policy';
import { type Caller, consentProblem, consentRoutes, signalsOf } from '#domains/consent';
import { type Desk, openDesk } from '#testing/consent-desk';
import { consentPolicy } from '#testing/consent-policy';
import { useWorld } from '#testing/world';

let desk: Desk;
let app: Hono<never>;
let refusals: RefusalLog;
after(async () => {
  await refusals?.close();
  await desk?.consent.close();
});
const world = useWorld({
  policies: [consentPolicy],
  setUp: async (opened) => {
    desk = await openDesk(opened);
    const { db, policies, clock } = opened;
    refusals = openRefusals(db, clock);
    const authenticate = async (headers: Headers): Promise<Caller> => {
      const kind = headers.get('authorization')?.replace('Bearer ', '');
      if (!kind) throw new Problem('key-missing', { status: 401, title: 'No key' }, 'none');
      const status = { status: 403, title: 'Not from there' };
      if (headers.get('origin') === EVIL) throw new Problem('origin-wrong', status, 'none');
      // A key of another service is told apart from one that is not known by `authorize` alone.
      const tenant = kind === 'foreign' ? ('elsewhere' as never) : opened.tenant;
      const actor: Actor = { kind: 'write-key', id: KeyId('routesKey'), tenant };
      return { actor, isPublic: kind === 'browser' };
    };
    app = new Hono();
    app.onError((thrown) => {
      if (!(thrown instanceof Problem)) throw thrown;
      return Response.json(thrown, { status: thrown.status });
    });
    const doors = {
      authenticate,
      refusals,
      regionOf: (_: unknown, named?: string) => named ?? 'US',
      allowsOrigin: (origin: string) => origin !== EVIL,
    };
    app.route('/', consentRoutes({ consent: desk.consent, policies, ...doors }));
  },
});

const EVIL = 'https://evil.example';

// biome-ignore lint/suspicious/noExplicitAny: answers are judged member by member.
type Answer = { status: number; body: any; headers: Headers };

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await app.request(`/v1/t/${world.tenant}/consents${path}`, {
    method,
    headers: { authorization: 'Bearer key', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text && JSON.parse(text), headers: answer.headers };
}

let people = 0;
const person = () => ({ userId: `person-${++people}` });
const see = (userId: string, headers = {}) =>
  call('POST', '/status', { handle: { userId } }, headers);

test('a consent is answered with its receipt, and seen when asked for', async () => {
  const handle = person();
  const givenAt = '2026-03-02T09:00:00+01:00';
  const notice = { version: '3', language: 'de' };
  const given = { handle, purpose: 'enhancedInsights', granted: true, givenAt, notice };
  const { status, body, headers } = await call('POST', '', given);
  assert.equal(status, 201);
  assert.equal(body.purpose, 'insights');
  assert.equal(body.status, 'ConsentGiven');
  assert.equal(body.givenAt, '2026-03-02T08:00:00.000Z');
  assert.deepEqual(body.notice, { ...notice, stated: true });
  assert.equal(body.basis, 'consent');
  assert.equal(body.revision, 1);
  assert.equal(body.policy.hash, world.policies.inForce(world.tenant).hash);
  assert.deepEqual(body.staysUnder, { delivery: 'contract' });
  assert.equal(body.record['dct:identifier'], body.id);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.ok(!JSON.stringify(body).includes(handle.userId), 'the handle is nowhere in the receipt');

  const repeat = await call('POST', '', given);
  assert.deepEqual([repeat.status, repeat.body.id], [200, body.id]);

  const seen = await see(handle.userId);
  assert.equal(seen.status, 200);
  const { insights, delivery, monitoring, research } = seen.body.purposes;
  assert.deepEqual(insights, {
    granted: true,
    required: false,
    since: body.givenAt,
    because: 'consent-given',
    aliases: ['enhancedInsights'],
  });
  assert.deepEqual([delivery.granted, delivery.required, delivery.since], [true, true, null]);
  assert.equal(monitoring.because, 'on-by-default');
  assert.equal(research.granted, false);
  assert.deepEqual(
    seen.body.receipts.map(({ id }: { id: string }) => id),
    [body.id],
  );
  assert.deepEqual(seen.body.notice, { version: '3', languages: ['en', 'de'] });
});

test('somebody who is not known has the published positions, and is not made known by asking', async () => {
  const { userId } = person();
  for (const answer of [await see(userId), await call('POST', '/status', { handle: { userId } })]) {
    assert.equal(answer.status, 200);
    assert.equal(answer.body.purposes.insights.because, 'consent-not-given');
    assert.deepEqual(answer.body.receipts, []);
  }
  const known = await desk.keys.subjects(world.tenant, [{ kind: 'user', value: userId }], {
    create: false,
  });
  assert.deepEqual(known, [undefined]);
});

test('the five-key preference object is taken by its aliases; the essential key stays on', async () => {
  const handle = { anonymousId: 'browser-1' };
  const preferences = {
    essentialAnalytics: false,
    enhancedInsights: true,
    performanceMonitoring: false,
    journeys: true,
    userResearch: true,
    productResearch: false,
  };
  const { status, body } = await call('PUT', '/preferences', { handle, preferences });
  assert.equal(status, 200);
  const { delivery, insights, monitoring, journeys, research } = body.purposes;
  assert.deepEqual([delivery.granted, delivery.required], [true, true]);
  assert.equal(insights.granted, true);
  assert.equal(monitoring.granted, false);
  assert.equal(journeys.because, 'parent-not-allowed');
  assert.equal(research.granted, false, 'of two names for one purpose the no stands');
  assert.equal(body.receipts.length, 4);
  assert.deepEqual(body.staysUnder, { delivery: 'contract' });
  assert.equal(
    body.receipts[0].notice.stated,
    false,
    'no notice was named, and the receipt says so',
  );
});

test('a withdrawal takes no more than a handle', async () => {
  const handle = person();
  await call('POST', '', { handle, purpose: 'insights', granted: true });
  const { status, body } = await call('POST', '/withdraw', { handle });
  assert.equal(status, 200);
  assert.equal(body.purposes.insights.because, 'consent-withdrawn');
  assert.equal(body.purposes.monitoring.because, 'consent-refused');
  assert.equal(body.purposes.delivery.granted, true);
  assert.equal(body.receipts.length, 4);
});

test('a signal of the browser is heard in the answer', async () => {
  const handle = person();
  await call('POST', '', { handle, purpose: 'insights', granted: true });
  const { body, headers } = await see(handle.userId, { 'sec-gpc': '1' });
  assert.deepEqual(
    [body.purposes.insights.granted, body.purposes.insights.because],
    [...[false, 'signal-gpc']],
  );
  assert.match(headers.get('vary') ?? '', /Sec-GPC/);
  assert.equal(
    (await see(handle.userId, { 'sec-gpc': 'true' })).body.purposes.insights.granted,
    true,
  );
});

test('only the value 1 of a signal speaks, and one of several is enough', () => {
  const gpc = (value: string) => signalsOf(new Headers({ 'sec-gpc': value })).gpc;
  assert.deepEqual(['1', '0, 1', ' 1 '].map(gpc), [true, true, true]);
  assert.deepEqual(['0', 'true', '11', ''].map(gpc), [false, false, false, false]);
  assert.equal(signalsOf(new Headers({ dnt: '1' })).dnt, true);
  assert.equal(signalsOf(new Headers({ 'x-do-not-sell': '1' })).doNotSell, true);
});

const insights = { purpose: 'insights', granted: true };
const bad: [code: string, method: string, path: string, body?: () => unknown][] = [
  ['consent-body-broken', 'POST', '', () => '{'],
  ['consent-body-broken', 'POST', '', () => 'null'],
  ['consent-body-broken', 'POST', '', () => ({ ...insights })],
  ['consent-body-broken', 'POST', '', () => ({ handle: {}, ...insights })],
  ['consent-body-broken', 'POST', '', () => ({ handle: { userId: 'x'.repeat(257) }, ...insights })],
  ['consent-body-broken', 'POST', '', () => ({ handle: person(), ...insights, granted: 'yes' })],
  ['consent-body-broken', 'POST', '', () => ({ handle: person(), ...insights, givenAt: 'monday' })],
  ['consent-body-broken', 'POST', '', () => ({ handle: person(), ...insights, extra: 1 })],
  [
    'consent-body-broken',
    'POST',
    '',
    () => ({ handle: person(), ...insights, expiresAt: '2001-01-01T00:00:00Z' }),
  ],
  [
    'consent-body-broken',
    'PUT',
    '/preferences',
    () => ({ handle: person(), preferences: { a: 'b' } }),
  ],
  ['consent-body-broken', 'POST', '/withdraw', () => []],
  [
    'consent-purpose-unknown',
    'POST',
    '',
    () => ({ handle: person(), ...insights, purpose: '__proto__' }),
  ],
  [
    'consent-purpose-unknown',
    'PUT',
    '/preferences',
    () => ({ handle: person(), preferences: { constructor: true } }),
  ],
  [
    'consent-purpose-essential',
    'POST',
    '',
    () => ({ handle: person(), ...insights, purpose: 'delivery' }),
  ],
  [
    'consent-in-the-future',
    'POST',
    '',
    () => ({ handle: person(), ...insights, givenAt: '2999-01-01T00:00:00Z' }),
  ],
  [
    'consent-notice-not-in-force',
    'POST',
    '',
    () => ({ handle: person(), ...insights, notice: { version: '1', language: 'en' } }),
  ],
  [
    'consent-notice-not-in-force',
    'POST',
    '',
    () => ({ handle: person(), ...insights, notice: { version: '3', language: 'fr' } }),
  ],
  ['consent-body-broken', 'POST', '/status', () => ({ handle: { userId: '' } })],
  ['consent-body-broken', 'POST', '/status', () => ({ handle: { userId: 'a', anonymousId: '' } })],
];

test('bad input gets a clear problem, and nothing of it is kept or said again', async () => {
  const rows = () => world.inTenant((tx) => tx`select count(*)::int as rows from consent_receipts`);
  const before = await rows();
  for (const [code, method, path, body] of bad) {
    const answer = await call(method, path, body?.());
    assert.equal(answer.body.code, code, `${method} ${path} ${JSON.stringify(body?.())}`);
    assert.equal(answer.status, consentProblem.table[code as 'consent-body-broken'].status);
    assert.doesNotMatch(answer.body.detail, /person-|__proto__|monday|constructor/);
  }
  assert.deepEqual(await rows(), before);
});

test('no address holds an id: what was asked with GET is not answered', async () => {
  for (const query of ['', '?userId=a', '?anonymousId=a']) {
    const headers = { authorization: 'Bearer key' };
    const answer = await app.request(`/v1/t/${world.tenant}/consents${query}`, { headers });
    assert.equal(answer.status, 404);
  }
});

test('a service that is not there, a missing key and a foreign key are told apart', async () => {
  const unknown = await app.request('/v1/t/nobody/consents/status', { method: 'POST' });
  assert.equal(unknown.status, 404);
  const keyless = await call('POST', '/status', { handle: person() }, { authorization: '' });
  assert.equal(keyless.status, 401);
  const foreign = { authorization: 'Bearer foreign' };
  const refused = await call('POST', '/withdraw', { handle: person() }, foreign);
  assert.deepEqual([refused.status, refused.body.code], [403, 'forbidden']);
});

const page = { authorization: 'Bearer browser' };
const yes = { purpose: 'insights', granted: true };

test('a browser’s key neither reads nor decides for a person whose id was guessed', async () => {
  const { userId } = person();
  await call('POST', '', { handle: { userId }, ...yes });
  const ask = (handle: object) => [
    call('POST', '/status', { handle }, page),
    call('POST', '', { handle, ...yes }, page),
    call('PUT', '/preferences', { handle, preferences: { insights: false } }, page),
    call('POST', '/withdraw', { handle }, page),
  ];
  const stranger = { userId: 'nobody-by-that-name' };
  for (const handle of [{ userId }, { userId, anonymousId: 'mine' }, stranger]) {
    for (const { status, body } of await Promise.all(ask(handle))) {
      assert.deepEqual([status, body.code], [403, 'consent-handle-not-shown']);
      assert.equal(body.purposes, undefined);
    }
  }
  assert.equal((await see(userId)).body.purposes.insights.granted, true, 'nothing was decided');
  const known = await desk.keys.subjects(world.tenant, [{ kind: 'user', value: stranger.userId }], {
    create: false,
  });
  assert.deepEqual(known, [undefined], 'and nobody was made known');
});

test('a browser’s key speaks for its visitor, and for the person whom a server linked to it', async () => {
  const anonymousId = 'random-visitor';
  const { userId } = person();
  const visitor = await call('POST', '', { handle: { anonymousId }, ...yes }, page);
  assert.equal(visitor.status, 201);
  desk.keys.vouch(anonymousId, userId);
  const handle = { userId, anonymousId };
  assert.equal((await call('POST', '', { handle, ...yes }, page)).status, 201);
  const seen = await call('POST', '/status', { handle }, page);
  assert.equal(seen.body.purposes.insights.granted, true);
  assert.equal((await see(userId)).body.purposes.insights.granted, true, 'it is the person’s');
  const other = { userId: person().userId, anonymousId };
  assert.equal((await call('POST', '/status', { handle: other }, page)).status, 403);
});

test('ids and purposes named like parts of an object are ids and purposes like any other', async () => {
  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    for (const kind of ['userId', 'anonymousId']) {
      const handle = `{"${kind}":"${name}"}`;
      const before = await call('POST', '/status', `{"handle":${handle}}`);
      assert.equal(before.body.purposes.insights.because, 'consent-not-given', `${kind} ${name}`);
      assert.deepEqual(before.body.receipts, []);
      await call('POST', '', `{"handle":${handle},"purpose":"insights","granted":true}`);
      const after = await call('POST', '/status', `{"handle":${handle}}`);
      assert.equal(after.body.purposes.insights.because, 'consent-given');
    }
    const odd = `{"handle":{"anonymousId":"odd"},"preferences":{"${name}":true}}`;
    const { status } = await call('PUT', '/preferences', odd);
    assert.ok(status === 400 || status === 422, `${name} vanished in silence`);
  }
});

test('a refusal is in the audit log by the time it is answered', async () => {
  const last = async () =>
    (await readAudit(world.db, { tenant: world.tenant, limit: 1_000 })).at(-1);
  await refusals.flush(true);
  await call('POST', '', { handle: person(), purpose: 'delivery', granted: false });
  const essential = await last();
  assert.equal(essential?.kind, 'refusal');
  assert.equal(essential?.action, 'consent.record');
  assert.deepEqual(essential?.fields, { code: 'consent-purpose-essential', count: 1 });
  await call('POST', '/withdraw', { handle: person() }, { authorization: 'Bearer foreign' });
  const forbidden = await last();
  assert.deepEqual(
    [forbidden?.action, forbidden?.fields],
    [...['consent.withdraw', { code: 'forbidden', count: 1 }]],
  );
});

test('only a page of the key’s origins reads the answer, refusals too, and without cookies', async () => {
  const shop = { origin: 'https://shop.example' };
  const asking = { 'access-control-request-method': 'PUT' };
  const preflight = await call('OPTIONS', '/preferences', undefined, { ...shop, ...asking });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PUT/);
  const handle = { anonymousId: 'browser-2' };
  for (const answer of [
    await call('POST', '/status', {}, shop),
    await call('POST', '/status', { handle }, shop),
    await call('POST', '/status', { handle }, { ...shop, authorization: '' }),
  ]) {
    assert.equal(answer.headers.get('access-control-allow-origin'), shop.origin);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /retry-after/);
    assert.match(answer.headers.get('vary') ?? '', /Origin/);
  }
  const evil = { origin: EVIL };
  for (const answer of [
    await call('OPTIONS', '/status', undefined, { ...evil, ...asking }),
    await call('POST', '/status', { handle }, evil),
    await call('POST', '/status', { handle }, { ...evil, authorization: '' }),
  ]) {
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  }
});

test('of decisions that arrive at the same moment every one is kept, and one of them stands', async () => {
  const handle = person();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      call('POST', '', { handle, purpose: 'insights', granted: index % 2 === 0 }),
    ),
  );
  assert.ok(answers.every(({ status }) => status === 201 || status === 200));
  const { body } = await see(handle.userId);
  const newest = body.receipts[0];
  assert.equal(body.purposes.insights.granted, newest.granted);
});
