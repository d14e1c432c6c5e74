import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPolicy, STRIP_CLASSES } from '@troth/policy-language';
import fc from 'fast-check';
import { samplePolicy } from '#testing/sample-policy';
import { hasLuhn, isIban } from './check-digits.ts';
import { type Classifier, cleanJson, cleanText } from './classifiers.ts';
import { isPersonalId } from './identify-mode.ts';
import { classifyName } from './personal-names.ts';

const all = new Set<Classifier>(STRIP_CLASSES);
const clean = (text: string) => cleanText(text, all).text;

const CUT: [Classifier, string, string][] = [
  ['email', 'write to ada@example.com soon', 'write to [email] soon'],
  ['email', 'ada.lovelace+tag@mail.example.co.uk', '[email]'],
  ['email', 'ada ( at ) no but ada(at)example.com', 'ada ( at ) no but [email]'],
  ['email', 'mailto:ada%40example.com', 'mailto:[email]'],
  ['phone', 'call +1 (555) 123-4567 now', 'call [phone] now'],
  ['phone', 'call 030/901820-12', 'call [phone]'],
  ['phone', 'ring 0151 23456789 please', 'ring [phone] please'],
  ['card', 'paid with 4111 1111 1111 1111', 'paid with [card]'],
  ['card', 'paid with 4111-1111-1111-1111.', 'paid with [card].'],
  ['card', 'amex 378282246310005', 'amex [card]'],
  ['iban', 'to DE89 3704 0044 0532 0130 00', 'to [iban]'],
  ['iban', 'to CH93 0076 2011 6238 5295 7', 'to [iban]'],
  [
    'iban',
    'DE89 3704 0044 0532 0130 00 and DE89 3704 0044 0532 0130 00 to',
    '[iban] and [iban] to',
  ],
  ['address', 'lives at 221b Baker Street, London', 'lives at [address], London'],
  ['address', 'wohnt Hauptstraße 12 in Bonn', 'wohnt [address] in Bonn'],
  ['address', 'at 52.520008, 13.404954', 'at [address]'],
  ['query-string', 'https://x.test/find?q=my+illness#top', 'https://x.test/find'],
  ['query-string', '/search?q=secret', '/search'],
  ['person-name', 'Dr. Ada Lovelace called', '[person-name] called'],
  ['person-name', 'thanks @ada_l !', 'thanks [person-name] !'],
  ['national-id', 'ssn 078-05-1120', 'ssn [national-id]'],
  ['credential', 'Authorization: Bearer abcdefghijklmnop', 'Authorization: [credential]'],
  ['credential', 'password=hunter22', '[credential]'],
  ['credential', 'key sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'key [credential]'],
  ['ip-address', 'from 203.0.113.7 again', 'from [ip-address] again'],
  ['ip-address', 'from 2001:db8::ff00:42:8329 again', 'from [ip-address] again'],
  ['ip-address', 'from 2001:0db8:0000:0000:0000:ff00:0042:8329', 'from [ip-address]'],
  ['ip-address', 'peer [::1]:443', 'peer [[ip-address]]:443'],
];

/** What hides content from a pattern and from no reader. */
const HIDDEN: [Classifier, string, string][] = [
  ['card', 'paid 4111\u200b1111\u200b1111\u200b1111', 'paid [card]'],
  ['card', 'paid 4\u00ad1\u20601\ufeff1\u200d1111 11\u202d11 1111', 'paid [card]'],
  ['card', 'paid ４１１１ １１１１ １１１１ １１１１', 'paid [card]'],
  ['card', 'paid ٤١١١ ١١١١ ١١١١ ١١١١', 'paid [card]'],
  ['card', 'paid 4111。1111。1111。1111', 'paid [card]'],
  ['card', 'paid 4111%201111%201111%201111', 'paid [card]'],
  ['card', 'paid &#52;111 1111 1111 1111', 'paid [card]'],
  ['email', 'a&#64;b.com', '[email]'],
  ['email', 'a&#x40;b.com and a&commat;b&period;com', '[email] and [email]'],
  ['email', 'ada%40example.com', '[email]'],
  ['email', 'ada%2540example.com', '[email]'],
  ['email', 'ada%25252540example%252Ecom', '[email]'],
  ['email', 'ada%26%2364%3Bexample.com', '[email]'],
  ['email', 'ada\\u0040example.com', '[email]'],
  ['email', 'ada＠example。com', '[email]'],
  ['email', 'ada@example｡com', '[email]'],
  ['email', 'ada@\u200bexample.com', '[email]'],
  ['phone', 'tel:+4915123456789', 'tel:[phone]'],
  ['phone', 'phone+15551234567now', 'phone[phone]now'],
  ['phone', 'call015123456789', 'call[phone]'],
  ['phone', 'tel_015123456789', 'tel_[phone]'],
  ['phone', 'ring0151 23456789please', 'ring[phone]please'],
  ['phone', 'call555-123-4567now', 'call[phone]now'],
  ['query-string', 'settings#frag=my+illness', 'settings'],
  ['query-string', 'https://x.test/a#access_token=abc', 'https://x.test/a'],
  ['query-string', 'find?q=my+illness', 'find'],
  ['query-string', '/search%3Fq=secret', '/search'],
  ['ip-address', '203。0。113。7', '[ip-address]'],
];

for (const [what, dirty, expected] of [...CUT, ...HIDDEN]) {
  test(`${what} is cut out of "${dirty}"`, () => {
    const cleaned = cleanText(dirty, all);
    assert.equal(cleaned.text, expected);
    assert.ok(cleaned.found.includes(what), `found ${cleaned.found}`);
  });
}

const KEPT = [
  'export_data',
  '/dashboard',
  'button_click',
  'Chrome',
  '2025-11-18',
  '2025-11-18T10:11:12.000Z',
  '1763460000000',
  'v1.22.333',
  '550e8400-e29b-41d4-a716-446655440000',
  'took 1200 ms for 45 rows',
  'order 12345678',
  'TypeError: x is not a function',
  'node_modules/pg/lib/client.js:526',
  'skipped_onboarding_step_two',
  'npm_install_finished',
  'std::vector and Face::add',
  'at 10:11:12 or 23:59:59.999',
  '100 % of A & B, 50%25',
  'a0123456789abcdef0123456789abcdef',
  'C++20 and #42',
  'می‌خواهم',
];

for (const text of KEPT) {
  test(`"${text}" is not personal and is kept as it is`, () => {
    assert.deepEqual(cleanText(text, all), { text, found: [] });
  });
}

test('what is hidden and harmless is kept as it was sent', () => {
  const text = 'caf%C3%A9 &amp; co\u200d, 100%25';
  assert.deepEqual(cleanText(text, all), { text, found: [] });
});

test('each class that a policy may name has a classifier that finds something', () => {
  const seen = new Set<string>(['message', ...CUT.map(([what]) => what)]);
  assert.deepEqual(
    STRIP_CLASSES.filter((name) => !seen.has(name)),
    [],
  );
});

test('a class that nothing finds is an error of the document, with those that there are', () => {
  const text = samplePolicy('shop', { more: 'ingest: { strip: [email, shoe-size] }\n' });
  const { policy, findings } = readPolicy(text, { file: 'shop.yaml' });
  assert.equal(policy, undefined);
  const [finding] = findings.filter(({ severity }) => severity === 'error');
  assert.match(JSON.stringify(finding), /ip-address/);
});

test('a long paragraph is a message and goes whole', () => {
  const paragraph = 'so yesterday we met and talked about the thing that you know of '.repeat(6);
  assert.equal(clean(paragraph), '[message]');
});

test('only the classes that the policy names are cut', () => {
  const only = new Set<Classifier>(['email']);
  assert.equal(cleanText('a@b.test 4111111111111111', only).text, '[email] 4111111111111111');
});

const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const noise = fc.string({ maxLength: 60 });

test('no text keeps an e-mail address, whatever stands around it', () => {
  const address = fc.tuple(word, word, word).map(([a, b, c]) => `${a}.${b}@${c}.example`);
  fc.assert(
    fc.property(noise, address, noise, (before, email, after) => {
      const rest = clean(`${before} ${email} ${after}`);
      assert.ok(!rest.includes(email), rest);
      assert.doesNotMatch(rest, /[a-z0-9]@[a-z0-9]+\.[a-z]/i);
    }),
    { numRuns: 2_000 },
  );
});

const digit = fc.integer({ min: 0, max: 9 });
const pan = fc
  .tuple(
    fc.constantFrom('4', '51', '37', '6011'),
    fc.array(digit, { minLength: 15, maxLength: 15 }),
  )
  .map(([start, digits]) => {
    const length = start === '37' ? 15 : 16;
    const stem = (start + digits.join('')).slice(0, length - 1);
    const check = [...'0123456789'].find((last) => luhnOf(stem + last)) ?? '0';
    return stem + check;
  });

/** Counted the school way, with no line of the code under test. */
function luhnOf(number: string): boolean {
  const sum = [...number]
    .reverse()
    .map((d, i) => (i % 2 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(d)]! : Number(d)))
    .reduce((a, b) => a + b, 0);
  return sum % 10 === 0;
}

test('no text keeps a card number, grouped or not, whatever stands around it', () => {
  const spacer = fc.constantFrom('', ' ', '-', '.', ' ', '\u00a0');
  fc.assert(
    fc.property(noise, pan, spacer, noise, (before, number, gap, after) => {
      const grouped = number.replace(/(\d{4})(?=\d)/g, `$1${gap}`);
      const rest = clean(`${before} ${grouped} ${after}`);
      assert.ok(!rest.replace(/[^\d]/g, '').includes(number), rest);
    }),
    { numRuns: 2_000 },
  );
});

test('members named after personal content are left out of JSON, in any spelling', () => {
  const found = new Set<Classifier>();
  const value = JSON.parse(
    '{"firstName":"Ada","e-mail":"x","steps":[{"phone_number":"1","tool":"ls"}],"note":"hm","lat":1.5,"__proto__":{"a":1}}',
  );
  const kept = cleanJson(value, all, found) as Record<string, unknown>;
  assert.equal(JSON.stringify(kept), '{"steps":[{"tool":"ls"}],"__proto__":{"a":1}}');
  assert.equal(Object.getPrototypeOf(kept), Object.prototype);
  assert.deepEqual([...found].sort(), ['address', 'email', 'message', 'person-name', 'phone']);
});

test('a card number sent as a JSON number is left out', () => {
  assert.deepEqual(cleanJson({ value: 4111111111111111 }, all, new Set()), { value: null });
});

test('names in capitals, camels and snakes say the same', () => {
  for (const name of ['creditCard', 'credit_card', 'CreditCard', 'CREDIT-CARD']) {
    assert.equal(classifyName(name), 'card', name);
  }
});

test('the classifiers take linear time on text made to hurt them', () => {
  const hostile = [
    'a@',
    '1 ',
    '1-',
    'rue de ',
    '+1(',
    'x/?',
    '1 a ',
    'Dr. A',
    'eyJ',
    'DE89 ',
    'a.',
    '%25',
    '%2525252540',
    '&#64;',
    '\\u0040',
    '\u200b1',
    '٤ ',
    '#a',
    '#a=',
    '?a[',
    '+1 ',
    '01 ',
    '0/1',
    '1.1.',
    'a:',
    '::',
    'sk-a-',
  ];
  for (const piece of hostile) {
    const text = piece.repeat(16_384 / piece.length);
    const from = performance.now();
    cleanText(text, all);
    const took = performance.now() - from;
    assert.ok(took < 1_500, `"${piece}" took ${took} ms`);
  }
});

test('published check digits are recognised', () => {
  assert.ok(hasLuhn('4012888888881881') && hasLuhn('30569309025904'));
  assert.ok(!hasLuhn('1012888888881') && !hasLuhn('2012888888888'));
  assert.ok(isIban('GB82 WEST 1234 5698 7654 32') && !isIban('GB82 WEST 1234 5698 7654 33'));
});

test('a random id says nothing about anybody, whatever digits it is made of', () => {
  const kept = (id: string) => {
    assert.equal(clean(`order ${id} is late`), `order ${id} is late`);
    assert.equal(isPersonalId(id), false);
  };
  for (const id of [
    '12345678-1234-4234-8234-123456789012',
    '41111111-1111-4111-9111-111111111111',
    '03012345-6789-4012-a345-030901820120',
  ]) {
    kept(id);
    assert.equal(clean(`${id} rang 0151 23456789`), `${id} rang [phone]`);
  }
  fc.assert(fc.property(fc.uuid(), kept), { numRuns: 2_000 });
});
