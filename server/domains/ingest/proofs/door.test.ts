import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** It names stages that nothing does yet. */
const NOT_DONE = ['MG-30'];

test('the door asks for keys, forms and patience, and adds what its switches say', async () => {
  await proven.keeps('ingest.request-checked');
  await proven.keeps('ingest.endpoint');
  await proven.keeps('web.rate-limit');
  await proven.keeps('ingest.enrichment');
  await proven.keeps('ingest.sources-typed');
  await proven.keeps('ingest.stages', NOT_DONE);
});

const OPEN: readonly Edit[] = [
  [
    'domains/ingest/write-keys.ts',
    'if (!timingSafeEqual(digest(secret), key.hash) || key.revoked) throw unknownKey();',
    'if (secret === "" && digest(secret) && timingSafeEqual(key.hash, key.hash)) throw unknownKey();',
  ],
  [
    'domains/ingest/http.ts',
    'if (type === undefined || !MEDIA_TYPE.test(type)) {',
    'if (type === undefined) {',
  ],
  [
    'domains/ingest/check-rate.ts',
    'if (requestsPerMinute !== undefined) {',
    'if (requestsPerMinute === 0) {',
  ],
  ['edges/http/listener.ts', "minVersion: 'TLSv1.3'", "minVersion: 'TLSv1.2'"],
  [
    'domains/ingest/plan.ts',
    "return (declared['can-disable'] ? switches[name] : undefined) ?? declared.default === 'on';",
    'return true;',
  ],
  [
    'domains/ingest/check-schema.ts',
    '  const event = makeEvent({\n    index,\n    kind,\n    name,',
    "  const event = makeEvent({\n    index,\n    kind,\n    name: name + JSON.stringify(context['page'] ?? ''),",
  ],
  [
    'domains/ingest/locate.ts',
    "if (plan.enrich['time-zone']) fillFields(event, 'time', known);",
    '',
  ],
];

test('a door without a lock, a form or a limit, and switches that nobody obeys, are found', async () => {
  await proven.restart(OPEN);
  await proven.breaks('ingest.request-checked');
  await proven.breaks('ingest.endpoint');
  await proven.breaks('web.rate-limit');
  await proven.breaks('ingest.enrichment');
  // The local time is not added any more.
  await proven.breaks('ingest.stages', NOT_DONE);
});

test('an event that passes validation though it does not fit is found, and one that no reading shows', async () => {
  await proven.restart([
    [
      'domains/ingest/check-schema.ts',
      'if (read === WRONG) return',
      'if (read === WRONG) continue; if (Number.isNaN(i)) return',
    ],
  ]);
  await proven.breaks('ingest.stages', NOT_DONE);
  await proven.restart([
    [
      'core/purposes/shown-rows.ts',
      '(willing.has(subject) && !hidden.has(tenant, subject))',
      '(willing.has(subject) && hidden.has(tenant, subject))',
    ],
  ]);
  await proven.breaks('ingest.stages', NOT_DONE);
});

test('an event is found in a reading among however many that are newer', async () => {
  await proven.restart();
  await proven.events.command(
    `insert into tenant_magenta.analytics_events
       (received_at, event_at, name, subject, message, expires)
     select now() + interval 1 hour, now(), 'newer', unhex(repeat('0', 32)), number,
            now() + interval 1 day
     from numbers(1100)`,
  );
  await proven.keeps('ingest.stages', NOT_DONE);
  await proven.events.command(
    "alter table tenant_magenta.analytics_events delete where name = 'newer'",
  );
});

test('looks that turn the same switches wait for each other, and say so when it takes too long', async () => {
  await proven.restart();
  const wanted = { tenant: 'magenta', control: 'ingest.enrichment' };
  const rounds = await Promise.all([proven.prove(wanted), proven.prove(wanted)]);
  const told = rounds.flat().map(({ state, saw }) => `${state} ${saw}`);
  assert.ok(told.length > 0 && told.every((text) => text.startsWith('kept')), told.join('\n'));
  const another = await proven.sql.reserve();
  const lock = another`hashtext('enrichments magenta')`;
  await another`select pg_advisory_lock(7_076_021, ${lock})`;
  const found = await proven.prove({ ...wanted, promise: 'MG-31' });
  await another`select pg_advisory_unlock(7_076_021, ${lock})`;
  another.release();
  assert.deepEqual([...new Set(found.map(({ state }) => state))], ['gap']);
});

test('a limit that forgets one of key, address and person is found', async () => {
  for (const kind of ['key', 'address', 'person']) {
    const kept = ['key', 'address', 'person'].filter((one) => one !== kind);
    await proven.restart([
      [
        'domains/ingest/rates.ts',
        'for (const kind of KINDS) {',
        `for (const kind of ${JSON.stringify(kept)} as typeof KINDS[number][]) {`,
      ],
    ]);
    await proven.breaks('web.rate-limit');
  }
});

test('a limit that knows only batches of one event is found', async () => {
  await proven.restart([
    [
      'domains/ingest/check-rate.ts',
      'if (requestsPerMinute !== undefined) {',
      'if (requestsPerMinute !== undefined && sent.length < 2) {',
    ],
  ]);
  await proven.breaks('web.rate-limit');
});

test('switches that turn off something else, and sources that pass for one’s own, are found', async () => {
  await proven.restart([
    [
      'domains/ingest/plan.ts',
      "switches[name] : undefined) ?? declared.default === 'on';",
      "switches[name] : undefined) ?? declared.default !== 'on';",
    ],
    ['oversight/evidence/data-map.ts', "new Set(['webhooks', 'connectors'])", 'new Set()'],
    [
      'domains/ingest/enrichments.ts',
      "if (!declared['can-disable']) {",
      "if (!declared['can-disable'] && name === 'x') {",
    ],
  ]);
  await proven.breaks('ingest.enrichment', ['LK-32']);
  await proven.breaks('ingest.sources-typed');
});
