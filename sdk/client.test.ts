import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, createClient, presets } from './index.ts';
import { FakeServer, store } from './testing/fake-server.ts';

const NOON = Date.parse('2026-03-02T12:00:00Z');
const PURPOSES = { performance: 'performance-monitoring', error: 'error-tracking' };

function open(options: Partial<ClientOptions> = {}, server = new FakeServer()) {
  const clock = { now: NOON };
  const client = createClient({
    endpoint: 'https://data.example.com/',
    writeKey: 'wk_test',
    tenant: 'loopkit',
    storage: 'memory',
    essential: ['page_view'],
    purposes: PURPOSES,
    fetch: server.fetch,
    now: () => clock.now,
    random: () => 0.5,
    ...options,
  });
  return { client, server, clock };
}

const setNavigator = (members: object) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: members, configurable: true });
  return () => before && Object.defineProperty(globalThis, 'navigator', before);
};

test('an event travels as the wire says, with three words about the machine', async () => {
  const system = { platform: 'web', browser: 'Chrome', device_type: 'desktop' };
  const { client, server } = open({ system });
  client.track('page_view', { page: '/dashboard', section: 'analytics', time_spent: 45 });
  assert.equal(await client.flush(), true);
  const [batch] = server.batches();
  assert.equal(batch?.url, 'https://data.example.com/v1/t/loopkit/batch');
  assert.equal(batch?.request.headers['authorization'], 'Bearer wk_test');
  assert.equal(batch?.request.credentials, 'omit');
  assert.deepEqual(Object.keys(batch?.body).sort(), ['batch', 'context', 'sentAt']);
  const { messageId, anonymousId, ...event } = server.events()[0];
  assert.match(messageId, /^[0-9a-f]{32}$/);
  assert.match(anonymousId, /^[0-9a-f]{32}$/);
  assert.deepEqual(event, {
    type: 'track',
    event: 'page_view',
    properties: { page: '/dashboard', section: 'analytics', time_spent: 45 },
    timestamp: '2026-03-02T12:00:00.000Z',
    context: { system },
  });
});

test('before consent is known only essential events leave, and the rest follows a yes', async () => {
  const { client, server } = open();
  server.next.consents.push('away', 'away');
  client.track('page_view');
  client.track('performance');
  client.track('other');
  await client.flush();
  assert.deepEqual(server.names(), ['page_view']);
  assert.equal(client.getConsentStatus().known, false);
  assert.equal(client.counts().waiting, 2);
});

test('what waited leaves once consent is known, and what was refused is forgotten', async () => {
  const { client, server } = open();
  client.track('performance');
  client.track('error');
  client.track('other');
  await client.flush();
  assert.deepEqual(server.names(), ['performance', 'other']);
  assert.deepEqual(client.counts().dropped, { 'consent-refused': 1 });
  assert.equal(client.getConsentStatus().known, true);
});

test('with whileUnknown drop nothing waits for consent', async () => {
  const { client, server } = open({ whileUnknown: 'drop' });
  client.track('performance');
  await client.flush();
  assert.deepEqual(server.names(), []);
  assert.deepEqual(client.counts().dropped, { 'consent-unknown': 1 });
});

test('a service that knows nothing of consents leaves the client closed', async () => {
  const { client, server } = open();
  server.next.consents.push({ status: 404 });
  client.track('performance');
  await client.flush();
  assert.deepEqual(server.names(), []);
  assert.equal(server.consents().length, 1, 'and is not asked again');
});

test('the printed calls of the policy work as printed', async () => {
  const { client: LoopKit, server } = open({ mode: 'identified', ...presets.loopkit });
  const { track, identify } = LoopKit;
  track('page_view', { page: '/dashboard', section: 'analytics', time_spent: 45 });
  track('feature_used', { feature: 'export_data', success: true, duration: 120 });
  track('user_action', { action: 'button_click', feature: 'export' });
  const privacyConfig = {
    essentialAnalytics: true,
    enhancedInsights: false,
    performanceMonitoring: true,
    errorTracking: false,
    userResearch: false,
  };
  LoopKit.setPrivacyPreferences(privacyConfig);
  assert.deepEqual(LoopKit.getConsentStatus().preferences, privacyConfig);
  await LoopKit.flush();
  assert.deepEqual(LoopKit.getConsentStatus().preferences, privacyConfig);
  assert.deepEqual(server.names(), ['page_view', 'feature_used', 'user_action']);
  const put = server.consents().find(({ method }) => method === 'PUT');
  assert.equal(put?.path, '/consents/preferences');
  assert.deepEqual(put?.body.preferences, privacyConfig);
  assert.deepEqual(Object.keys(put?.body.handle), ['anonymousId']);

  LoopKit.updateConsent('enhancedInsights', true);
  await LoopKit.flush();
  const post = server.consents().at(-1);
  assert.equal(`${post?.method} ${post?.path}`, 'POST /consents');
  assert.deepEqual(
    { ...post?.body, handle: 0 },
    {
      handle: 0,
      purpose: 'enhancedInsights',
      granted: true,
      givenAt: '2026-03-02T12:00:00.000Z',
      notice: { version: '1.0', language: 'en' },
    },
  );
  assert.equal(LoopKit.getConsentStatus().preferences['enhancedInsights'], true);

  LoopKit.withdrawConsent();
  await LoopKit.flush();
  assert.equal(server.consents().at(-1)?.path, '/consents/withdraw');
  const after = LoopKit.getConsentStatus().preferences;
  assert.deepEqual(after, {
    ...privacyConfig,
    performanceMonitoring: false,
  });

  identify('user_hashed_id_123', { plan: 'pro', signup_date: '2025-01' });
  await LoopKit.flush();
  assert.ok(!server.events().some(({ type }) => type === 'identify'), 'nobody agreed to be named');
  assert.equal(LoopKit.counts().dropped['consent-refused'], 1);
});

test('a withdrawal counts at once: what waited for its turn is forgotten', async () => {
  const { client, server } = open();
  await client.flush();
  client.track('performance');
  client.withdrawConsent();
  client.track('performance');
  await client.flush();
  assert.deepEqual(server.names(), []);
  assert.deepEqual(client.counts().dropped, { 'consent-refused': 2 });
});

test('a yes counts from the moment at which the server has it', async () => {
  const { client, server } = open();
  await client.flush();
  server.next.consents.push('away');
  client.updateConsent('errorTracking', true);
  client.track('error');
  await client.flush();
  assert.deepEqual(server.names(), []);
  const { client: other, server: far } = open();
  other.updateConsent('errorTracking', true);
  other.track('error');
  await other.flush();
  assert.deepEqual(
    far.sent.map(({ method, path }) => `${method} ${path}`),
    ['POST /consents', 'POST /batch'],
  );
});

test('a decision that the server refuses is not believed', async () => {
  const { client, server } = open();
  server.next.consents.push({ status: 422 });
  client.updateConsent('errorTracking', true);
  client.track('error');
  await client.flush();
  assert.equal(client.getConsentStatus().preferences['errorTracking'], false);
  assert.deepEqual(server.names(), []);
});

test('with GPC or DNT only what is essential or required leaves, and the server is told', async () => {
  for (const [members, told] of [
    [{ globalPrivacyControl: true }, { gpc: true, dnt: false }],
    [{ doNotTrack: '1' }, { gpc: false, dnt: true }],
  ] as const) {
    const restore = setNavigator(members);
    try {
      const { client, server } = open({ purposes: { ...PURPOSES, login: 'essential-analytics' } });
      for (const name of ['page_view', 'performance', 'login', 'other']) client.track(name);
      await client.flush();
      assert.deepEqual(server.names(), ['page_view', 'login']);
      assert.deepEqual(server.batches()[0]?.body.context.signals, told);
      assert.deepEqual(client.getConsentStatus().signals, told);
      assert.deepEqual(client.counts().dropped, { signal: 2 });
    } finally {
      restore();
    }
  }
});

test('at midnight a new id is drawn, the old one is forgotten, and the choices move on', async () => {
  const kept = store();
  const { client, server, clock } = open({ storage: kept });
  client.setPrivacyPreferences({ errorTracking: true });
  await client.flush();
  client.track('page_view', { n: 1 });
  clock.now = Date.parse('2026-03-02T23:59:59.999Z');
  client.track('page_view', { n: 2 });
  clock.now += 1;
  client.track('page_view', { n: 3 });
  assert.equal(client.getConsentStatus().known, false, 'closed again under the new id');
  await client.flush();
  const [first, second, third] = server.events().map(({ anonymousId }) => anonymousId);
  assert.equal(first, second);
  assert.notEqual(second, third);
  assert.ok(![...kept.kept.values()].join().includes(first), 'the old id is kept nowhere');
  assert.equal(server.batches().length, 2, 'no request holds two ids');
  const puts = server.consents().filter(({ method }) => method === 'PUT');
  assert.deepEqual(
    puts.map(({ body }) => [body.handle.anonymousId, body.preferences.errorTracking]),
    [
      [first, true],
      [third, true],
    ],
  );
  for (const { body } of server.sent) {
    const text = JSON.stringify(body ?? '');
    assert.ok(!(text.includes(first) && text.includes(third)), 'no message joins two days');
  }
});

test('a withdrawal, too, moves on to the next day', async () => {
  const { client, server, clock } = open({ storage: store() });
  client.withdrawConsent();
  await client.flush();
  clock.now += 86_400_000;
  client.track('performance');
  await client.flush();
  assert.equal(server.consents().filter(({ path }) => path === '/consents/withdraw').length, 2);
  assert.deepEqual(server.names(), []);
});

test('a choice that the server did not hear is told by the next page', async () => {
  const storage = store();
  const { client, server } = open({ storage });
  server.next.consents.push('away');
  client.updateConsent('errorTracking', true);
  await client.flush();
  const { client: later, server: far } = open({ storage });
  await later.flush();
  assert.deepEqual(far.consents()[0]?.body.preferences, { errorTracking: true });
  const { client: last, server: quiet } = open({ storage });
  await last.flush();
  assert.deepEqual(
    quiet.consents().map(({ method }) => method),
    ['GET'],
  );
});

test('anonymous mode names nobody, pseudonymous mode no one who can be read', async () => {
  const { client, server } = open();
  client.identify('user_1', { plan: 'pro' });
  client.group('acme');
  client.alias('user_2');
  client.track('page_view');
  await client.flush();
  assert.deepEqual(Object.keys(server.events()[0]).includes('userId'), false);
  assert.equal(client.counts().dropped.mode, 3);

  const { client: named, server: far } = open({ mode: 'pseudonymous' });
  named.identify('jane@example.com');
  named.identify('user_1', { contact: 'jane@example.com' });
  named.identify('user_hashed_id_123', { plan: 'pro', signup_date: '2025-01' });
  named.track('page_view');
  named.group('acme');
  named.alias('user_hashed_id_456');
  await named.flush();
  assert.deepEqual(
    far
      .events()
      .map(({ type, userId, groupId, previousId }) => [type, userId, groupId, previousId]),
    [
      ['identify', 'user_hashed_id_123', undefined, undefined],
      ['track', 'user_hashed_id_123', undefined, undefined],
      ['group', 'user_hashed_id_123', 'acme', undefined],
      ['alias', 'user_hashed_id_456', undefined, 'user_hashed_id_123'],
    ],
  );
  assert.equal(named.counts().dropped.mode, 2);
});

test('whoever the page names from the start is named, as far as the mode allows', async () => {
  for (const [mode, userId, told] of [
    ['pseudonymous', 'operator-1', 'operator-1'],
    ['pseudonymous', 'jane@example.com', undefined],
    ['anonymous', 'operator-1', undefined],
  ] as const) {
    const { client, server } = open({ mode, userId });
    client.track('page_view');
    await client.flush();
    const [event] = server.events();
    assert.equal(event.userId, told);
    const asked = told && { id: event.anonymousId };
    assert.deepEqual(event.context.consent, asked, 'so that the decisions made here count');
  }
});

test('identified mode gives a name only after a yes, and never keeps it in the browser', async () => {
  const storage = store();
  const purposes = { 'type:identify': 'enhanced-insights' };
  const { client, server } = open({ mode: 'identified', storage, purposes });
  await client.flush();
  client.identify('user@example.com', { email: 'user@example.com' });
  client.track('page_view');
  await client.flush();
  assert.ok(!JSON.stringify(server.sent).includes('@'));
  client.updateConsent('enhancedInsights', true);
  client.identify('user@example.com', { email: 'user@example.com', organization: 'Acme Corp' });
  await client.flush();
  client.track('page_view');
  await client.flush();
  assert.deepEqual(
    server.events().map(({ type, userId }) => [type, userId]),
    [
      ['track', undefined],
      ['identify', 'user@example.com'],
      ['track', 'user@example.com'],
    ],
  );
  assert.ok(![...storage.kept.values()].join().includes('@'));
});

test('reset makes the next event come from somebody new, with no choice made', async () => {
  const { client, server } = open({ mode: 'pseudonymous', storage: store() });
  client.identify('user_1');
  client.setPrivacyPreferences({ errorTracking: true });
  client.track('page_view');
  await client.flush();
  client.reset();
  client.track('page_view');
  await client.flush();
  const [, before, after] = server.events();
  assert.notEqual(before.anonymousId, after.anonymousId);
  assert.equal(after.userId, undefined);
  assert.equal(server.consents().at(-1)?.method, 'GET');
});

test('nothing that a page hands in makes a call throw', async () => {
  const { client, server } = open();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const trap = {
    get boom() {
      throw new Error('boom');
    },
  };
  const calls = client as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const name of Object.keys(calls)) {
    if (name === 'shutdown') continue;
    for (const given of [undefined, null, 7, '', 'x', circle, trap, 10n, Symbol('s'), () => 1]) {
      const result = calls[name]?.(given, given, given);
      if (result instanceof Promise) await result;
    }
  }
  client.track('page_view', circle);
  client.track('page_view', trap);
  client.track('page_view', { big: 10n });
  assert.ok((client.counts().dropped['not-sendable'] ?? 0) >= 3);
  const inert = createClient(undefined as unknown as ClientOptions);
  inert.track('page_view');
  assert.equal(inert.getConsentStatus().known, false);
  assert.equal(await inert.flush(), false);
  assert.equal(inert.counts().dropped['not-sendable'], 3);
  await client.shutdown(100);
  client.track('page_view');
  assert.equal(client.counts().dropped['shut-down'], 1);
  assert.ok(server.sent.every(({ url }) => url.startsWith('https://data.example.com/v1/t/')));
});

test('storage that throws costs the id of the next page, and nothing else', async () => {
  const broken = {
    getItem: () => {
      throw new Error('denied');
    },
    setItem: () => {
      throw new Error('full');
    },
    removeItem: () => {
      throw new Error('denied');
    },
  };
  const { client, server } = open({ storage: broken });
  client.track('page_view');
  client.reset();
  client.track('page_view');
  await client.flush();
  assert.equal(server.events().length, 2);
});
