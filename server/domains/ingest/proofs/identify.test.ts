import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

const ALL = [
  'identify.mode-refuses',
  'identify.default-mode',
  'identify.sessions-linked',
  'identify.traits-limited',
  'identify.consent-first',
  'identify.unlinkable',
] as const;

test('who somebody is stays as far away as the mode says', async () => {
  for (const control of ALL) await proven.keeps(control);
});

test('modes that refuse nobody, ask nobody and link nobody are found', async () => {
  await proven.restart([
    [
      'domains/ingest/identify-mode.ts',
      "return names && (asked === 'anonymous'",
      "return names && (asked === 'nobody'",
    ],
    [
      'domains/ingest/identify-mode.ts',
      "if (asked === 'pseudonymous' && identified) {",
      "if (asked === 'nobody' && identified) {",
    ],
    [
      'domains/ingest/check-consent.ts',
      'if (event.mode === MODE.identified && plan.identifyConsent !== undefined) {',
      'if (event.mode === MODE.identified && plan.identifyConsent === undefined) {',
    ],
    [
      'domains/ingest/store-events.ts',
      'if (subject === undefined) row.zeros(16);',
      'if (subject !== undefined || row) row.zeros(16);',
    ],
    [
      'domains/ingest/check-schema.ts',
      '  const event = makeEvent({\n    index,\n    kind,\n    name,',
      '  const event = makeEvent({\n    index,\n    kind,\n    name: name + JSON.stringify(properties),',
    ],
    ['domains/ingest/link-session.ts', 'batch.tenant, text, day', 'batch.tenant, text, day + 1'],
  ]);
  await proven.breaks('identify.mode-refuses');
  await proven.breaks('identify.consent-first');
  await proven.breaks('identify.sessions-linked');
  await proven.breaks('identify.traits-limited');
  await proven.breaks('identify.default-mode');
  // Two sites differ by what the library draws; that is sabotaged below.
  await proven.breaks('identify.unlinkable', ['LK-30', 'LK-136']);
});

test('a default that nobody obeys, and traits of another mode, are found', async () => {
  await proven.restart([
    [
      'domains/ingest/identify-mode.ts',
      'event.asked ?? plan.modeUnasked',
      'event.asked ?? undefined',
    ],
    [
      'domains/ingest/check-schema.ts',
      'if (traits !== undefined && !traits.has(field.name)) {',
      "if (traits !== undefined && field.name === '-') {",
    ],
    [
      'domains/ingest/identify-mode.ts',
      'if (identified?.has(name)) return true;',
      "if (identified?.has(name)) return name === '-';",
    ],
  ]);
  await proven.breaks('identify.default-mode');
  // In identified mode no trait of the type is of another one.
  await proven.breaks('identify.traits-limited', ['LK-42']);
});

test('a person made of what the machine says of itself is found, and a session that outlives its day', async () => {
  await proven.restart([
    [
      'domains/ingest/check-schema.ts',
      "handle: mode > 0 && userId !== undefined ? { kind: 'user', value: userId } : undefined,",
      "handle: { kind: 'anonymous', value: 'seen ' + JSON.stringify(context['system']) },",
    ],
    [
      'domains/ingest/pseudonymise.ts',
      "if (event.mode === MODE.anonymous || event.type.key !== 'subject' || !event.handle) continue;",
      "if (event.type.key !== 'subject' || !event.handle) continue;",
    ],
    ['domains/ingest/identify-mode.ts', '&& !isMode(asked)', "&& asked === '-'"],
  ]);
  await proven.breaks('identify.unlinkable');
  // A slip of the hand makes somebody known again.
  await proven.breaks('identify.default-mode');
  await proven.restart([
    [
      'domains/ingest/link-session.ts',
      'hashes.session(batch.tenant, text, day)',
      'hashes.session(batch.tenant, text, event.sessionText ? day + 1 : day)',
    ],
  ]);
  // Two sites differ all the same.
  await proven.breaks('identify.unlinkable', ['LK-30', 'LK-136']);
});

test('a library that gives a machine the same id everywhere and always is found', async () => {
  await proven.restart([
    [
      'edges/http/file-routes.ts',
      'const bytes = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;',
      `const read = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;
       const front = Buffer.from('var crypto = { getRandomValues: (all) => all.fill(7) };');
       const bytes = read && Buffer.concat([front, read]);`,
    ],
  ]);
  await proven.breaks('identify.unlinkable');
});
