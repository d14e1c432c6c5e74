/** The general rules, each on a sound document with one thing spoilt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksApply, lint, readPolicy } from '@troth/policy-language';
import {
  assertTeaches,
  codesOf,
  policyOf,
  SOUND,
  SOUND_PROSE,
  spoilt,
} from '#language/testing/documents';

/** The sample prose names too little to be a policy; these are about that alone. */
const SHORT = [
  'section/missing-contact',
  'section/missing-officer',
  'section/missing-retention',
  'section/missing-rights',
];
const found = (text: string, prose = SOUND_PROSE) =>
  codesOf(text, prose).filter((code) => !SHORT.includes(code));

test('a sound document with its prose has nothing to be found', () => {
  assert.deepEqual(found(SOUND), []);
});

const ROW =
  '  - { id: SA-01, says: "90 days", line: 2, control: retention.limit, with: { data: commands } }\n';
const cases: readonly (readonly [string, string, string, string])[] = [
  ['data without a limit', '    retain: P90D\n', '', 'data/without-retention'],
  [
    'data without a purpose',
    'purposes: [security-monitoring]',
    'purposes: []',
    'data/without-purpose',
  ],
  ['a personal field in clear', 'seal: subject, ', '', 'data/personal-unsealed'],
  ['consent that is on by default', 'default: off', 'default: on', 'consent/default-on'],
  [
    'a use that is ruled out',
    'rights:',
    'forbidden-uses: [analytics]\nrights:',
    'purpose/forbidden-use',
  ],
  [
    'a purpose that nobody declared',
    'purposes: [security-monitoring]',
    'purposes: [security-monitorin]',
    'reference/unknown',
  ],
  [
    'an alias of two purposes',
    'default: off',
    'default: off, aliases: [security-monitoring]',
    'purpose/alias-taken',
  ],
  [
    'a placeholder in a value',
    'name: Sample',
    'name: Sample, address: "[Address]"',
    'placeholder/unfilled',
  ],
  [
    'a promise bound to nothing',
    ', control: retention.limit, with: { data: commands }',
    '',
    'promise/unbound',
  ],
  ['an id taken twice', ROW, ROW + ROW, 'promise/duplicate-id'],
  [
    'a control that is not there',
    'control: retention.limit',
    'control: retention.wish',
    'control/unknown',
  ],
  ['a parameter of no control', '{ data: commands }', '{ dat: commands }', 'control/parameters'],
  ['data that nobody declared', '{ data: commands }', '{ data: comands }', 'reference/unknown'],
  [
    'a setting that is absent',
    '{ data: commands }',
    '{ data: commands, setting: backups.keep }',
    'config/unknown-path',
  ],
  ['a quote from elsewhere', 'says: "90 days"', 'says: "91 days"', 'quote/not-on-line'],
  ['a number that is not enforced', 'retain: P90D', 'retain: P60D', 'number/differs'],
  ['a line of nobody', 'silent-lines: "1"\n', '', 'prose/line-not-covered'],
  [
    'tiers that do not add up',
    'retain: P90D',
    'retain: { active: P90D, archive: P30D, total: P90D }',
    'retention/tiers-differ',
  ],
  [
    'events without fields',
    '    fields:\n      tool: string(64)\n      email: { type: string, max: 254, seal: subject, category: user.contact.email }\n',
    '',
    'data/events-without-fields',
  ],
  [
    'an event of two types',
    '  findings:\n',
    '  again: { title: A, from: events, event-names: [command], categories: [system], purposes: [research], retain: P1D, key: none, fields: { a: boolean } }\n  findings:\n',
    'data/event-declared-twice',
  ],
  [
    'a decision about nothing',
    'promises:',
    'resolves: [{ finding: x/y, decision: d, because: b, on: 2026-01-01 }]\npromises:',
    'resolution/unused',
  ],
];

for (const [what, from, to, code] of cases) {
  test(`${what} is found`, () => {
    const findings = lint(policyOf(spoilt(from, to)), SOUND_PROSE);
    const raised = findings.filter((finding) => finding.code === code);
    assert.ok(raised.length > 0, findings.map((finding) => finding.code).join());
    const errors = raised.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) assertTeaches(errors);
  });
}

test('a mistake in the binding of a promise says what was expected and shows what is right', () => {
  const lesson = (from: string, to: string) =>
    lint(policyOf(spoilt(from, to)), SOUND_PROSE).find(({ severity }) => severity === 'error');
  const near = lesson('control: retention.limit', 'control: retention.limits');
  assert.match(near?.message ?? '', /Did you mean "retention.limit"\?$/);
  assert.equal(near?.example, 'retention.limit');
  const far = lesson('control: retention.limit', 'control: retention.wishful-thinking');
  assert.match(far?.expected ?? '', /^one of retention\./);
  const given = lesson('{ data: commands }', '{ dat: commands }');
  assert.deepEqual(
    [given?.expected, given?.example],
    ['an object with data, setting', '{ data: agent-commands }'],
  );
  const id = lesson(ROW, ROW + ROW);
  assert.equal(id?.example, 'SA-02');
});

test('what an error shows is right: put in its place, the error is gone', () => {
  const mended = [
    ['says: "90 days"', 'says: "A heading"', 'line: 2'],
    ['silent-lines: "1"\n', '', ''],
    ['retain: P90D', 'retain: P60D', 'retain: P60D'],
  ] as const;
  for (const [from, to, place] of mended) {
    const text = spoilt(from, to);
    const [error] = lint(policyOf(text), SOUND_PROSE).filter(
      ({ severity }) => severity === 'error',
    );
    const shown = error?.example ?? '';
    const into = place.startsWith('retain') ? `retain: ${shown}` : shown;
    const better =
      place === ''
        ? spoilt('languages: [en]\n', `languages: [en]\n${shown}\n`, text)
        : spoilt(place, into, text);
    assert.deepEqual(
      found(better).filter((code) => code === error?.code),
      [],
      shown,
    );
  }
});

test('words in place of a number are found in the prose', () => {
  const prose = SOUND_PROSE.replace('90 days', '90 days, for a limited period');
  assert.deepEqual(found(SOUND, prose), ['quantity/undefined']);
});

test('every way to write a number is compared with the number in force', () => {
  for (const [says, section, setting] of [
    ['under 18 years of age', 'age: { minimum: 16, below: purge }', 'age.minimum'],
    [
      '$25.00 per accepted work order',
      'prices: [{ meter: m, amount-cents: 2400, currency: USD }]',
      'prices.0.amount-cents',
    ],
    [
      '(< 5 minutes)',
      'incidents: { starts: awareness, clocks: { detect: PT6M } }',
      'incidents.clocks.detect',
    ],
    ['with 30-day retention', 'backups: { keep: P31D }', 'backups.keep'],
    ['k = 5', 'insights: { k: 4 }', 'insights.k'],
    ['uses TLS 1.3', 'security: { tls: "1.2" }', 'security.tls'],
    [
      'cost factor 12',
      'security: { password: { hash: bcrypt, cost: 10 } }',
      'security.password.cost',
    ],
    ['up to 1GB', 'statements: { size: 2GB }', 'statements.size'],
    ['48 hours', 'statements: { answer: PT49H }', 'statements.answer'],
    ['Effective Date: March 4, 2026', '', 'effective'],
    ['since 4th Mar. 2026', '', 'effective'],
    ['as of 2026-03-04', '', 'effective'],
    ['Data Protection Matrix v2.0', '', 'version'],
    ['This is version 1.0.1 of it', '', 'version'],
  ] as const) {
    const text = spoilt(
      ROW,
      `  - { id: SA-01, says: "${says}", line: 2, config: ${setting} }\n`,
      spoilt('rights:', `${section}\nrights:`),
    );
    const codes = codesOf(text);
    assert.ok(codes.includes('number/differs'), `${says}: ${codes.join()}`);
  }
});

test('a date and a version are read however they are written, and the same one is no error', () => {
  for (const [says, setting] of [
    ['from January 1, 2026 on', 'effective'],
    ['from 1 January 2026 on', 'effective'],
    ['from 99 January 2026 on', 'effective'],
    ['Policy v1.0', 'version'],
    ['over TLS v1.3', 'version'],
  ] as const) {
    const row = `  - { id: SA-01, says: "${says}", line: 2, config: ${setting} }\n`;
    assert.ok(!codesOf(spoilt(ROW, row)).includes('number/differs'), says);
  }
});

test('prose that is not UTF-8 is an error that names its line', () => {
  const prose = SOUND_PROSE.replace('A heading', 'A caf\ufffd');
  const found = lint(policyOf(SOUND), prose).find(({ code }) => code === 'prose/not-utf8');
  assert.match(found?.message ?? '', /Line 1 of the prose/);
});

test('an open error blocks apply; a decision settles it and is shown with it', () => {
  const text = spoilt('default: off', 'default: on');
  const open = lint(policyOf(text), SOUND_PROSE);
  assert.equal(blocksApply(open), true);
  const entry =
    'resolves: [{ finding: consent/default-on, decision: d, because: b, on: 2026-01-01 }]\npromises:';
  const settled = lint(policyOf(spoilt('promises:', entry, text)), SOUND_PROSE);
  assert.equal(blocksApply(settled), false);
  const finding = settled.find(({ code }) => code === 'consent/default-on');
  assert.deepEqual(
    [finding?.state, finding?.resolution],
    ['resolved', { decision: 'd', because: 'b' }],
  );
});

test('a decision about one promise leaves another open', () => {
  const entry =
    'resolves: [{ finding: number/differs, promises: [SA-07], decision: d, because: b, on: 2026-01-01 }]\npromises:';
  const text = spoilt('promises:', entry, spoilt('retain: P90D', 'retain: P60D'));
  const finding = lint(policyOf(text)).find(({ code }) => code === 'number/differs');
  assert.equal(finding?.state, 'open');
});

test('ten thousand lines are read and linted in less than 300 milliseconds', () => {
  const rows: string[] = [];
  const prose = ['A heading', 'Commands are kept 90 days.'];
  for (let i = 0; rows.length < 9960; i++) {
    rows.push(
      ROW.replace('SA-01', `SB-${String(i).padStart(4, '0')}`).replace('line: 2', `line: ${i + 3}`),
    );
    prose.push('Commands are kept 90 days, and their errors are notified within a day.');
  }
  const text = `${SOUND}${rows.join('')}`;
  // The time of this thread, since other tests share the cores.
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  const once = () => {
    const start = cpuMs();
    const { policy } = readPolicy(text, { file: 'long.yaml' });
    assert.ok(policy);
    const errors = lint(policy, prose.join('\n')).filter(({ severity }) => severity === 'error');
    assert.deepEqual(errors, []);
    return cpuMs() - start;
  };
  const best = Math.min(once(), once(), once(), once(), once());
  assert.ok(best < 1_500, `${Math.round(best)} ms`);
});
