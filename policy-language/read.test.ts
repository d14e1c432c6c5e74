/** Reading: hostile and mistaken texts get located sentences, never an exception. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPolicy } from '@troth/policy-language';
import fc from 'fast-check';
import { DURATION_MAX_MS } from './duration.ts';
import { assertTeaches, SOUND, spoilt } from './testing/documents.ts';

const read = (text: string) => readPolicy(text, { file: 'sample.yaml' });
const one = (text: string) => {
  const { policy, findings } = read(text);
  assert.equal(policy, undefined);
  assertTeaches(findings);
  const [first] = findings;
  assert.ok(first);
  return first;
};

test('a sound document becomes a policy without findings', () => {
  const { policy, findings } = read(SOUND);
  assert.deepEqual(findings, []);
  assert.equal(policy?.compiled.data['commands']?.retain.text, 'P90D');
});

test('a misspelt key is an error with its place and the key that was meant', () => {
  const found = one(spoilt('retain: P90D', 'retian: P90D'));
  assert.deepEqual([found.code, found.line, found.column], ['document/unknown-key', 19, 5]);
  assert.match(found.message, /Did you mean "retain"/);
});

test('a wrong duration says what was expected and shows one that is right', () => {
  const found = one(spoilt('retain: P90D', 'retain: 90 days'));
  assert.equal(found.line, 19);
  assert.match(found.expected ?? '', /ISO 8601 duration/);
  assert.equal(found.example, 'P90D');
});

test('a length of time of nothing or of more than 100 years is an error of the document', () => {
  const lengths = [
    'P0D',
    'PT0S',
    'P101Y',
    'P999999Y',
    'P9999999Y',
    'P99Y366D',
    'P9007199254740993D',
  ];
  for (const length of [...lengths, 'PT99999999999H', 'PT999999999H', 'P1000M20000D']) {
    for (const retain of [length, `{ active: ${length} }`, `{ active: P1D, total: ${length} }`]) {
      const found = one(spoilt('retain: P90D', `retain: ${retain}`));
      assert.equal(found.line, 19, retain);
      assert.match(found.expected ?? '', /more than zero and at most 100 years/);
    }
  }
  const sum = one(spoilt('retain: P90D', 'retain: { active: P60Y, archive: P60Y }'));
  assert.match(sum.message, /^"archive" cannot be "P60Y": together .* more than 100 years\.$/);
  const notice = one(spoilt('material-notice: P30D', 'material-notice: P101Y'));
  assert.match(notice.message, /that is more than 100 years\.$/);
});

test('100 years may be kept, and where nothing is a choice, nothing may be chosen', () => {
  for (const length of ['P100Y', 'P36500D', 'PT876000H', 'PT52560000M', 'PT3153600000S']) {
    const { policy } = read(spoilt('retain: P90D', `retain: ${length}`));
    assert.equal(policy?.compiled.data['commands']?.retain.milliseconds, DURATION_MAX_MS, length);
  }
  const options = 'retain: P90D\n    retain-options: { immediate: P0D }';
  assert.deepEqual(read(spoilt('retain: P90D', options)).findings, []);
  assert.deepEqual(read(spoilt('within: P30D', 'within: P30D, recoverable: P0D')).findings, []);
});

test('a word outside a vocabulary names the nearest word in it', () => {
  const found = one(spoilt('use: analytics.reporting', 'use: analytics.reportin'));
  assert.match(found.message, /Did you mean "analytics.reporting"/);
});

test('a purpose without a legal basis is refused under a code of its own', () => {
  const found = one(spoilt(', basis: legitimate-interests', ''));
  assert.equal(found.code, 'purpose/without-basis');
  assert.match(found.expected ?? '', /legitimate-interests/);
});

test('a wrong value deep in a field points at that field', () => {
  const found = one(spoilt('seal: subject,', 'seal: everyone,'));
  assert.deepEqual([found.line, found.code], [23, 'document/wrong-value']);
});

const bomb = `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`;
const hostile: readonly (readonly [string, string, string])[] = [
  ['aliases that multiply', bomb, 'document/alias'],
  [
    'a merge key',
    spoilt('controller: {', 'controller: { <<: { name: x }, '),
    'document/forbidden-key',
  ],
  ['a second document', `${SOUND}---\n${SOUND}`, 'document/several-documents'],
  ['a key written twice', `${SOUND}title: Again\n`, 'document/duplicate-key'],
  ['a key that changes objects', `${SOUND}__proto__: { x: 1 }\n`, 'document/forbidden-key'],
  [
    'a constructor',
    spoilt('contacts: {', 'contacts: { constructor: {}, '),
    'document/forbidden-key',
  ],
  ['a tag of its own', spoilt('title: Sample', 'title: !!js/function "x"'), 'document/tag'],
  ['ten megabytes', `${SOUND}# ${'x'.repeat(10 * 1024 * 1024)}`, 'document/too-large'],
  ['a million brackets', `${SOUND}x: ${'['.repeat(1_000_000)}`, 'document/too-deep'],
  ['a ladder of lists', `${SOUND}x:\n  ${'- '.repeat(100_000)}`, 'document/too-deep'],
  [
    'a stair of indents',
    Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'document/too-deep',
  ],
  ['a bracket never closed', `${SOUND}x: [1, 2`, 'document/syntax'],
  ['nothing at all', '', 'document/empty'],
  ['a NUL', 'troth: 1\u0000', 'document/control-character'],
  [
    'a title in Latin-1',
    Buffer.from(spoilt('title: Sample', 'title: Caf\u00e9'), 'latin1').toString('utf8'),
    'document/not-utf8',
  ],
  ['February 30', spoilt('2026-01-01', '2026-02-30'), 'document/wrong-value'],
  ['April 31', spoilt('2026-01-01', '2026-04-31'), 'document/wrong-value'],
  ['endless lines', spoilt('"1"', '"1-99999999999"'), 'document/wrong-value'],
  ['lines that run backwards', spoilt('"1"', '"9-2"'), 'document/wrong-value'],
];

for (const [what, text, code] of hostile) {
  test(`${what}: refused in less than a second, with a place`, () => {
    const start = performance.now();
    const { policy, findings } = read(text);
    assert.ok(performance.now() - start < 5000);
    assert.equal(policy, undefined);
    assertTeaches(findings);
    assert.ok(
      findings.some((finding) => finding.code === code),
      JSON.stringify(findings[0]),
    );
  });
}

test('a map of 200,000 keys is judged in less than four seconds', () => {
  const keys = Array.from({ length: 200_000 }, (_, i) => `k${i}: 1`).join('\n');
  const start = performance.now();
  assertTeaches(read(keys).findings);
  assert.ok(performance.now() - start < 20000);
});

test('values of any type at any place never throw and are always placed', () => {
  const lines = SOUND.split('\n');
  const strange = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.string({ maxLength: 40 }),
    fc.constantFrom(
      '~',
      'null',
      '.nan',
      '0x10',
      '1e999',
      '[',
      '{',
      '"',
      '- -',
      '? ',
      '&a',
      '*a',
      '|',
      '>',
      '%YAML 9.9',
      '\u{1F600}',
      '\ud800',
    ),
  );
  fc.assert(
    fc.property(fc.nat(lines.length - 1), strange, (index, value) => {
      const line = lines[index] ?? '';
      const spoiled = lines.with(index, line.replace(/:.*$/, `: ${value}`)).join('\n');
      const { policy, findings } = read(spoiled);
      if (policy === undefined) assertTeaches(findings);
    }),
    { numRuns: 1500 },
  );
});

test('a wrong entry of a list is called by the name of its list, never by a bare index', () => {
  const scalar = one(spoilt('categories: [user.telemetry]', 'categories: [user.telemetry, 7]'));
  assert.match(scalar.message, /^Entry 2 of "categories" cannot be 7\./);
  const nested = one(spoilt('categories: [user.telemetry]', 'categories: [[user.telemetry]]'));
  assert.match(nested.message, /^Entry 1 of "categories" cannot be a list\./);
  const whole = one('- a list\n');
  assert.match(whole.message, /^The document cannot be a list\./);
});
