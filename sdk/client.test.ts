import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, createClient, presets } from './index.ts';
import { open, PURPOSES } from './testing/opened.ts';

const setNavigator = (members: object) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: members, configurable: true });
  return () => before && Object.defineProperty(globalThis, 'navigator', before);
};

test('no request of the client has an id in its address', async () => {
  const { client, server } = open();
  client.track('page_view');
  client.updateConsent('errorTracking', true);
  await client.flush();
  const id = server.events()[0]?.anonymousId;
  assert.ok(id && server.sent.length >= 2);
  assert.deepEqual(
    server.sent.filter(({ url }) => url.includes(id) || url.includes('?')).map(({ path }) => path),
    [],
  );
});

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
