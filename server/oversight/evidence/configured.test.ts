import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isPlaceholder,
  saysTheSame,
  secondsInDuration,
  secondsInWords,
  shownAt,
} from '#core/looking';
import { useProven } from '#testing/proven';

const proven = useProven();

/** Shown as the document has them, but more is promised of them than this version can show. */
const GAPS = [
  ...['CW-70', 'LK-208'], // words in the place of a public key
  'CD-118', // no refusal of a request carries it
  ...['CD-142', 'LK-219', 'LK-221'], // words in the place of an address
  ...['CD-145', 'CD-146'], // no provider can be connected
  'CD-158', // mail opens no request
  ...['MG-37', 'MG-39'], // nothing tells where a store stands, or that it is there
  ...['CD-52', 'CD-149', 'CD-150', 'CD-151'], // nothing sees whether a recipient does its work
  'WO-47', // a disclaimer: no check can pass it
  ...['CD-162', 'LK-204', 'LK-205'], // placeholders
];

test('every value that a promise is bound to stands on the page as the document has it', async () => {
  await proven.keeps('configuration', GAPS);
  const findings = await proven.prove({ control: 'configuration' });
  const gaps = findings.filter(({ state }) => state === 'gap').flatMap(({ promises }) => promises);
  assert.deepEqual(gaps.sort(), [...GAPS].sort());
});

test('a store that is not here is said to be none', async () => {
  const [cache] = await proven.prove({ tenant: 'magenta', promise: 'MG-39' });
  const [events] = await proven.prove({ tenant: 'magenta', promise: 'MG-37' });
  assert.match(cache?.saw ?? '', /Troth runs no Redis cluster here/);
  assert.match(events?.saw ?? '', /nothing tells who runs this store or where it stands/);
});

test('a page that shows other values is found, for each path', async () => {
  await proven.restart([
    [
      '../policy-language/render/words.ts',
      "  text: inWords(valueAt(policy, at), at.split('.').at(-1)),",
      "  text: inWords(valueAt(policy, at), at.split('.').at(-1)).slice(0, -1),",
    ],
  ]);
  await proven.breaks('configuration');
});

test('the quote among the promises does not stand for the value', async () => {
  await proven.restart([
    ['../policy-language/render/html.ts', '<span data-at=', '<span data-was='],
  ]);
  await proven.breaks('configuration');
});

test('an interface that gives another document than the page is found', async () => {
  await proven.restart([
    [
      'edges/http/tenant-routes.ts',
      'c.json({ hash, revision, policy: documentOf(policy) })',
      `c.json({ hash, revision, policy: JSON.parse(
        JSON.stringify(documentOf(policy)),
        (_, value) => (typeof value === 'string' ? value + ' ' : value),
      ) })`,
    ],
  ]);
  await proven.breaks('configuration');
});

test('what is promised beyond being shown is looked at: security.txt, register, price, first day', async () => {
  await proven.restart([
    ['edges/http/site-routes.ts', '`mailto:', '`mailto:not-'],
    [
      '../policy-language/render/tables.ts',
      "policy.purposes[recipient.purpose ?? '']?.title ?? recipient.purpose ?? ''",
      "'for many things'",
    ],
    ['../policy-language/render/tables.ts', '/ 100).toFixed(2)', '/ 100).toFixed(0)'],
  ]);
  await proven.sql`alter table troth.policies disable trigger revisions_kept`;
  await proven.sql`
    update troth.policies
    set document = jsonb_set(document, '{effective}', '"2999-01-01"')
    where tenant = 'workorders' and in_force`;
  const findings = await proven.prove({ control: 'configuration' });
  const broken = findings.filter(({ state }) => state === 'broken');
  assert.deepEqual(broken.flatMap(({ promises }) => promises).sort(), [
    ...['CD-149', 'CD-150', 'CD-151', 'CD-52', 'LK-207', 'WO-01', 'WO-05'],
  ]);
  await proven.sql`
    update troth.policies
    set document = jsonb_set(document, '{effective}', '"2026-03-04"')
    where tenant = 'workorders' and in_force`;
  await proven.sql`alter table troth.policies enable trigger revisions_kept`;
});

test('words are read back into figures apart from what writes them', () => {
  for (const [written, words] of [
    ['P90D', '90 days'],
    ['PT48H', '48 hours'],
    ['P1Y', '1 year'],
    ['P1M', '30 days'],
    ['PT1H30M', '1 hour 30 minutes'],
    ['P0D', 'at once'],
  ] as const) {
    assert.equal(secondsInDuration(written), secondsInWords(words), written);
    assert.ok(saysTheSame(words, written, 'keep'));
  }
  assert.equal(secondsInWords('90 days or so'), undefined);
  assert.equal(secondsInDuration('PII'), undefined);
  assert.ok(!saysTheSame('91 days', 'P90D', 'keep'));
  assert.ok(
    saysTheSame('25.00', 2500, 'amount-cents') && !saysTheSame('2500', 2500, 'amount-cents'),
  );
  assert.ok(saysTheSame('yes', true, '') && !saysTheSame('yes', false, ''));
  assert.ok(!saysTheSame('a; b', ['a', 'c'], ''));
  assert.deepEqual(shownAt('<span data-at="a.b">x &amp; y</span><q>x</q>', 'a.b'), ['x & y']);
  assert.ok(isPlaceholder('[EU Address]') && isPlaceholder(' ') && !isPlaceholder('[x](y)'));
});
