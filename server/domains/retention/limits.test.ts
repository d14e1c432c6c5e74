import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClockGuard, cutoffOf, marginMs, sweepEveryMs } from './index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('however long a limit is, a row that one sweep missed goes before it', () => {
  fc.assert(
    fc.property(fc.integer({ min: DAY, max: 10 * 365 * DAY }), (limit) => {
      const [every, margin] = [sweepEveryMs(limit), marginMs(limit)];
      assert.ok(margin >= 2 * every && margin <= limit / 2);
      // At most three in a hundred of the promised life is given away.
      assert.ok(margin <= Math.max(0.03 * limit, 2 * 10 * MINUTE + 10 * MINUTE));
    }),
  );
});

test('a limit of a few minutes leaves half of it, and one of nothing leaves nothing', () => {
  assert.equal(marginMs(10 * MINUTE), 5 * MINUTE);
  const now = new Date('2026-03-02T09:00:00Z');
  assert.deepEqual(cutoffOf(0, now), now);
});

test('a clock that leaps ahead is not believed for an hour; one that creeps or goes back is', () => {
  let elapsed = 0;
  let shown = Date.parse('2026-03-02T09:00:00Z');
  const guard = new ClockGuard(() => elapsed);
  const pass = (ms: number, shift = 0) => {
    elapsed += ms;
    shown += ms + shift;
    return guard.mayBelieve(new Date(shown));
  };
  assert.equal(pass(0), true);
  assert.equal(pass(10 * MINUTE, HOUR), true, 'an hour is daylight saving, not a leap');
  assert.equal(pass(10 * MINUTE, 400 * DAY), false);
  assert.equal(pass(30 * MINUTE), false);
  assert.equal(pass(31 * MINUTE), true, 'it has said so for an hour');
  assert.equal(pass(10 * MINUTE, 400 * DAY), false);
  assert.equal(pass(MINUTE, -400 * DAY), true, 'put right again');
});
