/** The arithmetic of time: durations, minimums, tiers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  durationInWords,
  limitOf,
  parseDuration,
  shortest,
  tiersOf,
  tryDuration,
} from '@troth/policy-language';
import fc from 'fast-check';
import { policyOf, SOUND, spoilt } from './testing/documents.ts';

const DAY = 86_400_000;
const days = fc.integer({ min: 1, max: 18_000 });
const limit = fc.oneof(
  days.map((n) => limitOf(`P${n}D`)),
  fc.constantFrom('session', 'until-deleted', 'until-revoked').map(limitOf),
);

const ADDRESSES =
  'title: A, from: http, categories: [user.device.ip_address], purposes: [research], retain: P30D, key: none';

test('durations mean what they say', () => {
  for (const [text, milliseconds] of [
    ['P90D', 90 * DAY],
    ['P2Y', 730 * DAY],
    ['P1M', 30 * DAY],
    ['P1W', 7 * DAY],
    ['PT1H30M', 5_400_000],
    ['P1DT12H', 1.5 * DAY],
    ['P0D', 0],
  ] as const) {
    assert.equal(parseDuration(text).milliseconds, milliseconds, text);
  }
});

test('what is no duration is refused', () => {
  for (const text of [
    '',
    'P',
    'PT',
    '90D',
    'P-1D',
    'P1.5D',
    'P1D2Y',
    'p1d',
    'P1D ',
    'P99999999D',
  ]) {
    assert.equal(tryDuration(text), undefined, text);
  }
  assert.throws(() => parseDuration('soon'), RangeError);
});

test('a duration in words reads as it was promised', () => {
  assert.equal(durationInWords(parseDuration('P90D')), '90 days');
  assert.equal(durationInWords(parseDuration('PT72H')), '72 hours');
  assert.equal(durationInWords(parseDuration('P2Y')), '2 years');
  assert.equal(durationInWords(parseDuration('P0D')), 'at once');
});

test('durations add up: every unit counts by itself', () => {
  fc.assert(
    fc.property(days, days, fc.nat(99), (a, b, hours) => {
      const sum = parseDuration(`P${a}DT${hours}H`).milliseconds;
      assert.equal(sum, a * DAY + hours * 3_600_000);
      assert.equal(
        parseDuration(`P${a}D`).milliseconds <= parseDuration(`P${a + b}D`).milliseconds,
        true,
      );
    }),
  );
});

test('the shortest limit keeps every limit, in any order and however often it is asked', () => {
  fc.assert(
    fc.property(fc.array(limit, { minLength: 1, maxLength: 6 }), (limits) => {
      const least = shortest(limits);
      for (const each of limits) {
        if (each.milliseconds !== null) {
          assert.ok(least.milliseconds !== null && least.milliseconds <= each.milliseconds);
        }
        if (each.until === 'session') assert.equal(least.until, 'session');
      }
      assert.deepEqual(shortest(limits.toReversed()), least);
      assert.deepEqual(shortest([least, ...limits]), least);
    }),
  );
});

test('a total that is not written is active and archive together', () => {
  fc.assert(
    fc.property(days, days, (active, archive) => {
      const { total } = tiersOf({ active: `P${active}D`, archive: `P${archive}D` });
      assert.equal(total.milliseconds, (active + archive) * DAY);
    }),
  );
});

test('an address inside a longer-lived row is bound by the limit of addresses', () => {
  const text = spoilt(
    '  findings:',
    `  addresses: { ${ADDRESSES} }\n  findings:`,
    spoilt(
      'tool: string(64)',
      'ip: { type: string, seal: subject, category: user.device.ip_address }',
    ),
  );
  const { fields, retain } = policyOf(text).compiled.data['commands'] ?? {};
  assert.deepEqual([retain?.text, fields?.['ip']?.retain.text], ['P90D', 'P30D']);
});

test('a region may only shorten a limit', () => {
  fc.assert(
    fc.property(days, (most) => {
      const text = spoilt(
        'purposes:',
        `regions: { EU: { retain-at-most: P${most}D } }\npurposes:`,
        SOUND,
      );
      const limits = policyOf(text).compiled.data['commands']?.retainIn;
      assert.equal(limits?.['EU']?.milliseconds, Math.min(90, most) * DAY);
    }),
    { numRuns: 30 },
  );
});
