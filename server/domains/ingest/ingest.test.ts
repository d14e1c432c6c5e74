import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { useWorld } from '#testing/world';
import { type Door, openDoor } from './testing/small-world.ts';

const POLICIES = join(import.meta.dirname, '..', '..', '..', 'policies');
const policy = (name: string) => (service: string) =>
  readFileSync(join(POLICIES, `${name}.yaml`), 'utf8').replace(
    /^service: .*$/m,
    `service: ${service}`,
  );

let door: Door;
const world = useWorld({
  policies: [policy('loopkit'), policy('clanker'), policy('magenta')],
  setUp: async (opened) => {
    door = await openDoor(opened);
  },
});
after(() => door?.close());

const loopkit = () => world.tenants[0]!;
const clanker = () => world.tenants[1]!;
const magenta = () => world.tenants[2]!;
let sequence = 0;
const id = () => `m-${process.pid}-${sequence++}`;

test('the call that LoopKit prints is taken word for word', async () => {
  const event = {
    event: 'page_view',
    properties: { page: '/dashboard', section: 'analytics', time_spent: 45 },
  };
  const answer = await door.send('/v1/tracks', event);
  assert.deepEqual([answer.status, answer.body], [200, { success: true, accepted: 1 }]);
  const list = await door.send('/v1/tracks', [event, event]);
  assert.equal(list.body['accepted'], 2);
  const rows = await door.rows<Record<string, unknown>>(loopkit(), 'page_views');
  assert.equal(rows.length, 3);
  assert.equal(rows[0]?.['f_page'], '/dashboard');
  assert.equal(rows[0]?.['f_time_spent'], 45);
  assert.equal(rows[0]?.['person'], '0'.repeat(32));
});

test('what the policy does not declare is not stored, and is counted', async () => {
  await door.send('/v1/track', {
    event: 'feature_used',
    properties: { feature: 'export', canary_secret: 'x' },
  });
  const [row] = await door.rows<Record<string, unknown>>(loopkit(), 'feature_usage');
  assert.equal(row?.['f_feature'], 'export');
  assert.ok(!Object.keys(row ?? {}).some((name) => name.includes('canary')));
  const view = await door.ingest.view(loopkit(), '2020-01-01');
  const counted = view.counted.find(
    ({ type, reason }) => type === 'feature-usage' && reason === 'undeclared-field',
  );
  assert.equal(counted?.count, 1);
});

test('a message sent again, in sequence and at once, is stored once', async () => {
  const messageId = id();
  const body = {
    batch: [{ type: 'track', event: 'user_action', messageId, properties: { action: 'again' } }],
  };
  const path = `/v1/t/${loopkit()}/batch`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => door.send(path, body)));
  answers.push(await door.send(path, body));
  assert.deepEqual(
    answers.map(({ body: { accepted } }) => accepted),
    Array(9).fill(1),
  );
  const rows = await door.rows<{ f_action: string }>(loopkit(), 'user_actions');
  assert.equal(rows.filter(({ f_action }) => f_action === 'again').length, 1);
});

test('personal fields are one ciphertext under the person’s key, bound to its row', async () => {
  const secret = 'rm -rf /home/ada';
  await door.send(
    `/v1/t/${clanker()}/track`,
    {
      event: 'agent_command',
      userId: 'u-77',
      properties: { tool: 'shell', arguments: { line: secret } },
    },
    { key: door.keyOf(clanker()) },
  );
  await door.ingest.drain();
  const [row] = await world.events.query<Record<string, string>>(
    `select hex(sealed) as sealed, lower(hex(subject)) as person, lower(leftPad(hex(message), 16, '0')) as row, f_tool
     from {database:Identifier}.agent_commands`,
    { database: `tenant_${clanker().replaceAll('-', '_')}` },
  );
  const key = await door.person(clanker(), { kind: 'user', value: 'u-77' });
  assert.equal(row?.['person'], key.subject);
  const frame = Buffer.from(row?.['sealed'] ?? '', 'hex');
  assert.ok(!frame.includes(secret));
  const opened = door.keys.open(key, frame, {
    tenant: clanker(),
    table: 'agent_commands',
    row: row?.['row'] ?? '',
    subject: key.subject,
    revision: 1,
  });
  assert.deepEqual(JSON.parse(opened.toString()), { arguments: { line: secret } });
});

test('an id is one person however it was typed, and another in another case', async () => {
  const send = (userId: unknown) =>
    door.send(
      `/v1/t/${clanker()}/track`,
      { event: 'agent_command', userId, properties: { tool: 'slip' } },
      { key: door.keyOf(clanker()) },
    );
  for (const userId of [' zo\u00eb-1', 'zo\u00eb-1', 'zoe\u0308-1\n', '\tZo\u00eb-1'])
    await send(userId);
  const rows = await door.rows<{ person: string; f_tool: string }>(clanker(), 'agent_commands');
  const people = rows.filter(({ f_tool }) => f_tool === 'slip').map(({ person }) => person);
  assert.equal(people.length, 4);
  const key = await door.person(clanker(), { kind: 'user', value: 'zo\u00eb-1 ' });
  assert.equal(people.filter((person) => person.toLowerCase() === key.subject).length, 3);
  const refused = await send(`x${' '.repeat(2_000)}`);
  assert.equal(refused.status, 422);
});

test('personal content in declared fields is cut out before it is stored', async () => {
  const action = 'mail ada@example.com or +1 555 123 4567';
  await door.send('/v1/track', { event: 'user_action', properties: { action } });
  const rows = await door.rows<{ f_action: string }>(loopkit(), 'user_actions');
  assert.ok(rows.some(({ f_action }) => f_action === 'mail [email] or [phone]'));
  assert.ok(!JSON.stringify(rows).includes('ada@example.com'));
});

test('text over its limit is left out whole, and the event stays', async () => {
  const section = 'long '.repeat(40);
  const answer = await door.send('/v1/track', {
    event: 'user_action',
    properties: { action: 'limit', section },
  });
  assert.equal(answer.status, 200);
  const rows = await door.rows<{ f_action: string; f_section: string }>(loopkit(), 'user_actions');
  assert.equal(rows.find(({ f_action }) => f_action === 'limit')?.f_section, '');
});

test('without consent an optional event is dropped; with it, it is stored; the client’s no counts at once', async () => {
  const event = (consent?: object) => ({
    event: 'insight_viewed',
    anonymousId: 'v-1',
    properties: { insight: 'i' },
    ...(consent && { context: { consent } }),
  });
  const refused = await door.send('/v1/track', event());
  assert.deepEqual(refused.body['dropped'], { 'no-consent': 1 });
  await door.decide(loopkit(), { kind: 'anonymous', value: 'v-1' }, 'enhanced-insights', true);
  assert.equal((await door.send('/v1/track', event())).body['accepted'], 1);
  const no = await door.send(
    '/v1/track',
    event({ categoryPreferences: { enhancedInsights: false } }),
  );
  assert.deepEqual(no.body['dropped'], { 'no-consent': 1 });
});

test('Global Privacy Control and Do Not Track close what the policy says, from the first event', async () => {
  const perf = { event: 'performance', properties: { metric: 'lcp', value: 1.5 } };
  assert.equal((await door.send('/v1/track', perf)).body['accepted'], 1);
  const dnt = await door.send('/v1/track', perf, { headers: { dnt: '1' } });
  assert.deepEqual(dnt.body['dropped'], { 'signal-dnt': 1 });
  const off = await door.send('/v1/track', perf, { headers: { dnt: '0', 'sec-gpc': '1' } });
  assert.equal(off.body['accepted'], 1, 'loopkit’s GPC does not withdraw performance monitoring');
  const gpc = await door.send(
    '/v1/track',
    { event: 'insight_viewed' },
    { headers: { 'sec-gpc': '1' } },
  );
  assert.deepEqual(gpc.body['dropped'], { 'signal-gpc': 1 });
  const essential = await door.send(
    '/v1/track',
    { event: 'feature_used' },
    { headers: { 'sec-gpc': '1', dnt: '1' } },
  );
  assert.equal(essential.body['accepted'], 1);
});

test('identified mode needs consent, pseudonymous mode refuses who somebody is, and whoever asks for neither is anonymous', async () => {
  const email = {
    userId: 'user@example.com',
    traits: { email: 'user@example.com', organization: 'Acme' },
    context: { mode: 'identified' },
  };
  const { context: _, ...unasked } = email;
  const silent = await door.send('/v1/identify', unasked);
  assert.equal((silent.body['refused'] as { code: string }[])[0]?.code, 'identify-refused');
  const before = await door.send('/v1/identify', email);
  assert.equal(before.status, 422);
  assert.equal((before.body['refused'] as { code: string }[])[0]?.code, 'identify-no-consent');
  const pseudo = await door.send('/v1/identify', {
    userId: 'user_hashed_id_123',
    traits: { plan: 'pro', signup_date: '2025-01-17', address: 'Main Street 1' },
    context: { mode: 'pseudonymous' },
  });
  assert.equal(pseudo.status, 200);
  const refused = await door.send('/v1/identify', { ...email, context: { mode: 'pseudonymous' } });
  assert.equal((refused.body['refused'] as { code: string }[])[0]?.code, 'identify-personal-data');
  const anonymous = await door.send('/v1/identify', { ...email, context: { mode: 'anonymous' } });
  assert.equal((anonymous.body['refused'] as { code: string }[])[0]?.code, 'identify-refused');
  await door.decide(loopkit(), { kind: 'user', value: email.userId }, 'identified-analytics', true);
  assert.equal((await door.send('/v1/identify', email)).status, 200);
  const rows = await door.rows<Record<string, unknown>>(loopkit(), 'people');
  const [plain, known] = [
    rows.find((row) => row['f_plan'] === 'pro'),
    rows.find((row) => row['mode'] === 2),
  ];
  assert.equal(plain?.['f_signup_date'], '2025-01');
  assert.equal(plain?.['mode'], 1);
  assert.equal(plain?.['sealed'], '');
  assert.notEqual(known?.['sealed'], '');
  assert.ok(
    !JSON.stringify(rows).includes('Acme') && !JSON.stringify(rows).includes('Main Street'),
  );
});

test('a mode that does not exist is refused with those that do; null asks for none', async () => {
  const event = { event: 'feature_used', userId: 'mode-1', properties: {} };
  for (const mode of ['anonymos', 'ANONYMOUS', '', 5, true, {}, [], '__proto__', 'toString']) {
    const { status, body } = await door.send('/v1/track', { ...event, context: { mode } });
    const [refused] = body['refused'] as { code: string; detail: string }[];
    assert.deepEqual([status, refused?.code], [422, 'wrong-schema'], String(mode));
    assert.match(refused?.detail ?? '', /anonymous, pseudonymous, identified/);
  }
  const sent = [null, 'anonymos'].map((mode) => ({ ...event, context: { mode } }));
  const { status, body } = await door.send('/v1/batch', { batch: sent });
  assert.deepEqual([status, body['accepted']], [207, 1]);
});

test('two days of one anonymous browser have two sessions that nobody can join', async () => {
  const event = {
    event: 'user_action',
    anonymousId: 'browser-9',
    properties: { action: 'session' },
  };
  await door.send('/v1/track', event);
  const today = Math.floor(Date.now() / 86_400_000);
  const sessions = [0, 1].map((day) => door.keys.hash(loopkit(), 'session-key', '0', today + day));
  assert.notDeepEqual(sessions[0], sessions[1]);
  const rows = await door.rows<{ f_action: string; session: string; person: string }>(
    loopkit(),
    'user_actions',
  );
  const row = rows.find(({ f_action }) => f_action === 'session');
  assert.notEqual(row?.session, '0');
  assert.equal(row?.person, '0'.repeat(32));
});

test('MAGENTA’s enrichments: country, hour and offset are added, the referrer is cut to its origin', async () => {
  const context = {
    timezone: 'Asia/Kolkata',
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
    page: { path: '/a', referrer: 'https://search.test/find?q=secret', title: 'Home' },
    ip: '141.20.1.1',
  };
  await door.send('/v1/page', { context, properties: {} }, { key: door.keyOf(magenta()) });
  const [row] = await door.rows<Record<string, unknown>>(magenta(), 'analytics_events');
  assert.equal(row?.['country'], 'DE');
  assert.equal(row?.['f_utc_offset_minutes'], 330);
  assert.equal(row?.['f_referrer_origin'], 'https://search.test');
  assert.deepEqual([row?.['device'], row?.['os'], row?.['browser']], ['mobile', 'iOS', 'Safari']);
  assert.ok(!JSON.stringify(row).includes('141.20') && !JSON.stringify(row).includes('17_4'));
});

test('an event that says its person is too young is dropped, and the purge is told', async () => {
  const key = door.keyOf(clanker());
  const sent = { event: 'access', userId: 'kid', properties: { resource: 'x', minor: true } };
  const answer = await door.send('/v1/track', sent, { key });
  assert.deepEqual(answer.body['dropped'], { 'under-age': 1 });
  assert.deepEqual(door.minors.at(-1), { kind: 'user', value: 'kid' });
  const young = { ...sent, properties: { resource: 'x', age: 17 } };
  assert.deepEqual((await door.send('/v1/track', young, { key })).body['dropped'], {
    'under-age': 1,
  });
});

test('a child is a child however the sender spells it, and wherever it says so', async () => {
  const key = door.keyOf(clanker());
  const said = [
    { properties: { age: '12' } },
    { properties: { minor: 'true' } },
    { properties: { minor: 1 } },
    { properties: { isMinor: true } },
    { context: { traits: { age: '12' } } },
    { context: { traits: { minor: true } } },
    { context: { age: 12 } },
    { minor: true },
    { age: 12, properties: { age: 40 } },
    { traits: { age: 9 } },
  ];
  for (const one of said) {
    const sent = { event: 'access', userId: 'kid-2', ...one };
    const { body } = await door.send('/v1/track', sent, { key });
    assert.deepEqual(body['dropped'], { 'under-age': 1 }, JSON.stringify(one));
  }
  const grown = { event: 'access', userId: 'grown', properties: { age: '44', minor: 'false' } };
  assert.equal((await door.send('/v1/track', grown, { key })).body['accepted'], 1);
});

test('a signal in one event’s own context closes for that event, and for no other of its batch', async () => {
  const event = (action: string, signals?: object) => ({
    type: 'track',
    event: 'performance',
    properties: { page: action, load_time: 1 },
    ...(signals && { context: { signals } }),
  });
  for (const signal of ['dnt']) {
    const batch = [event('/quiet', { [signal]: true }), event('/open'), event('/no', {})];
    const { body } = await door.send('/v1/batch', { batch });
    assert.deepEqual([body['accepted'], body['dropped']], [2, { [`signal-${signal}`]: 1 }]);
  }
});

test('an event of a wrong schema is refused by itself, the others of its batch are kept', async () => {
  const batch = [
    { type: 'track', event: 'feature_used', properties: { feature: 'good', duration: 3 } },
    { type: 'track', event: 'feature_used', properties: { feature: 'bad', duration: 'long' } },
    'no object',
  ];
  const answer = await door.send('/v1/batch', { batch });
  assert.equal(answer.status, 207);
  assert.equal(answer.body['accepted'], 1);
  const refused = answer.body['refused'] as { index: number; status: number }[];
  assert.deepEqual(
    refused.map(({ index, status }) => [index, status]),
    [
      [1, 422],
      [2, 422],
    ],
  );
  const none = await door.send('/v1/batch', { batch: [batch[1]] });
  assert.equal(none.status, 422);
  assert.equal(none.body['code'], 'ingest-nothing-kept');
});

test('an event from the future is dated now, and one whose clock is wrong is corrected', async () => {
  const future = new Date(Date.now() + 9e9).toISOString();
  await door.send('/v1/track', {
    event: 'user_action',
    timestamp: future,
    properties: { action: 'future' },
  });
  const late = (ms: number) => new Date(Date.now() - 86_400_000 + ms).toISOString();
  await door.send('/v1/track', {
    event: 'user_action',
    timestamp: late(-60_000),
    sentAt: late(0),
    properties: { action: 'skewed' },
  });
  const rows = await door.rows<{ f_action: string; event_at: string; received_at: string }>(
    loopkit(),
    'user_actions',
  );
  const age = (action: string) => {
    const row = rows.find(({ f_action }) => f_action === action)!;
    return Date.parse(`${row.received_at}`) - Date.parse(`${row.event_at}`);
  };
  assert.equal(age('future'), 0);
  assert.ok(Math.abs(age('skewed') - 60_000) < 2_000);
});

for (const [name, pack] of Object.entries({
  gzip: gzipSync,
  zstd: zstdCompressSync,
  br: brotliCompressSync,
  deflate: deflateSync,
})) {
  test(`a body in ${name} is read`, async () => {
    const body = pack(
      Buffer.from(JSON.stringify({ event: 'user_action', properties: { action: name } })),
    );
    const answer = await door.send('/v1/track', body, { headers: { 'content-encoding': name } });
    assert.deepEqual(answer.body, { success: true, accepted: 1 });
  });
}

test('a row without a person holds the title of a page only where the sender says it, and stripped', async () => {
  const place = `/v1/t/${magenta()}/track`;
  const told = { context: { page: { title: 'Letter of Ada' } } };
  const sent = [
    { event: 'page_view', properties: { label: 'nobody' }, ...told },
    { event: 'page_view', properties: { label: 'somebody' }, userId: 'u-title', ...told },
    { event: 'page_view', properties: { label: 'said', title: 'Ask ada@example.com' }, ...told },
  ];
  for (const event of sent) await door.send(place, event, { key: door.keyOf(magenta()) });
  const rows = await door.rows<{ f_label: string; f_title: string }>(magenta(), 'analytics_events');
  const titles = Object.fromEntries(rows.map(({ f_label, f_title }) => [f_label, f_title]));
  assert.deepEqual([titles['nobody'], titles['somebody']], ['', 'Letter of Ada']);
  assert.match(titles['said'] ?? '', /^Ask /);
  assert.doesNotMatch(titles['said'] ?? '', /ada@/);
});
