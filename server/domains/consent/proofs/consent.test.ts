import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** Nothing is sent to others yet. */
const NO_SENDING = ['CD-139', 'LK-108'];
/** Its rows name nobody, so no reading of them is anybody's to refuse. */
const NOT_READ = ['LK-69'];
const ON_BY_DEFAULT = ['LK-189'];
const OFF_BY_DEFAULT = ['LK-68', 'LK-70', 'LK-71', 'LK-190', 'LK-191'];

const ALWAYS: Edit = [
  'domains/consent/rules.ts',
  "if (!rule || depth > PARENTS_MAX) return answer('purpose-unknown');",
  "if (rule) return answer('essential');",
];
const NEVER: Edit = [ALWAYS[0], ALWAYS[1], "if (rule) return answer('purpose-unknown');"];

test('a person is asked, heard and written down, purpose by purpose', async () => {
  await proven.keeps('consent.asked-first');
  await proven.keeps('consent.default');
  await proven.keeps('consent.switch');
  await proven.keeps('consent.withdrawn');
  await proven.keeps('consent.per-purpose');
  await proven.keeps('consent.required-purpose');
  await proven.keeps('consent.scope-chosen');
  await proven.keeps('consent.signal', NO_SENDING);
});

test('a gate that lets everything in is found', async () => {
  await proven.restart([ALWAYS]);
  await proven.breaks('consent.asked-first');
  await proven.breaks('consent.default', ON_BY_DEFAULT);
  await proven.breaks('consent.switch');
  await proven.breaks('consent.withdrawn');
});

test('a gate that does not ask about what happened a while ago is found', async () => {
  await proven.restart([
    [
      'domains/ingest/check-consent.ts',
      'if (gates !== undefined) {',
      'if (gates !== undefined && event.eventAt > Date.now() - 60_000) {',
    ],
    [
      'domains/ingest/check-consent.ts',
      'if (event.mode === MODE.identified && plan.identifyConsent !== undefined) {',
      `if (event.mode === MODE.identified && plan.identifyConsent !== undefined &&
        event.eventAt > Date.now() - 60_000) {`,
    ],
  ]);
  // Nothing is collected for its purpose alone; what is read for it is another matter.
  await proven.breaks('consent.asked-first', ['CD-43']);
});

test('readings that ask nobody are found', async () => {
  await proven.restart([
    [
      'core/purposes/shown-rows.ts',
      '(willing.has(subject) && !hidden.has(tenant, subject))',
      '!hidden.has(tenant, subject)',
    ],
  ]);
  await proven.breaks('consent.asked-first');
  await proven.breaks('consent.switch', NOT_READ);
});

test('a library that goes on sending after it was turned off is found, though all is dropped', async () => {
  const served = 'const bytes = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;';
  const with_ = (from: string, to: string): Edit => [
    'edges/http/file-routes.ts',
    served,
    `const read = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;
     const text = String(read).split(${JSON.stringify(from)});
     if (read && file === 'troth.js' && text.length < 2) throw new Error('it does not fit');
     const bytes = read && Buffer.from(text.join(${JSON.stringify(to)}));`,
  ];
  await proven.restart([with_('"consent-refused"', '"send"')]);
  await proven.breaks('consent.switch');
  // One that withholds everything obeys no switch either.
  await proven.restart([with_('"send"', '"consent-refused"')]);
  await proven.breaks('consent.switch');
});

test('a gate that lets nothing in is found', async () => {
  await proven.restart([NEVER]);
  await proven.breaks('consent.default', OFF_BY_DEFAULT);
  await proven.breaks('consent.required-purpose');
});

test('a server that is deaf to signals is found', async () => {
  await proven.restart([
    [
      'domains/ingest/request-signals.ts',
      'if (silent && told === undefined) return',
      'if (silent || headers) return',
    ],
  ]);
  await proven.breaks('consent.signal', NO_SENDING);
});

test('a signal that is obeyed and leaves no record is found', async () => {
  await proven.restart([
    [
      'domains/ingest/check-consent.ts',
      '  if (conflicts.length === 0) return batch;',
      '  if (tenant) return batch;',
    ],
  ]);
  await proven.breaks('consent.signal', [...NO_SENDING, 'CD-137', 'CD-138']);
});

test('a receipt that names another text is found, and a choice of scope that is not heard', async () => {
  await proven.restart([
    [
      'domains/consent/decisions.ts',
      'notice: checkNotice(inForce.policy, given),',
      "notice: { version: '0', language: 'xx', stated: false },",
    ],
    ['domains/ingest/check-schema.ts', "minimal: context['scope'] === 'minimal'", 'minimal: false'],
  ]);
  await proven.breaks('consent.per-purpose');
  await proven.breaks('consent.scope-chosen');
});

test('a required purpose that can be turned off is found', async () => {
  await proven.restart([
    [
      'domains/consent/decisions.ts',
      'if (rulesOf(policy).purposes.get(one.purpose)?.essential !== false) {',
      'if (Number.isNaN(now)) {',
    ],
  ]);
  await proven.breaks('consent.required-purpose');
});
