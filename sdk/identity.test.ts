import assert from 'node:assert/strict';
import { test } from 'node:test';
import { store } from './testing/fake-server.ts';
import { open } from './testing/opened.ts';

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
    quiet.consents().map(({ path }) => path),
    ['/consents/status'],
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
  assert.equal(server.consents().at(-1)?.path, '/consents/status');
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
