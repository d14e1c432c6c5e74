import { expect, test } from 'vitest';
import { stripInWords, stripOf } from '#console/promises/strip.ts';

const NOW = new Date('2026-03-30T12:00:00Z');
const day = (day: string, kept: number, broken: number, gap: number) => ({
  promise: 'CW-01',
  day,
  kept,
  broken,
  gap,
});

test('one broken finding of a day outweighs any number of good ones', () => {
  const strip = stripOf([day('2026-03-30', 40, 1, 0), day('2026-03-29', 40, 0, 1)], NOW);
  expect(strip).toHaveLength(30);
  expect(strip.at(-1)).toEqual({ day: '2026-03-30', state: 'broken', found: 41 });
  expect(strip.at(-2)?.state).toBe('gap');
  expect(strip.at(-3)?.state).toBe(null);
  expect(strip[0]?.day).toBe('2026-03-01');
});

test('the strip says in words what it shows', () => {
  const strip = stripOf([day('2026-03-30', 1, 0, 0), day('2026-03-28', 2, 0, 0)], NOW);
  expect(stripInWords(strip)).toBe('the last 30 days: kept on 2 days');
  expect(stripInWords(stripOf([], NOW))).toBe('the last 30 days: no proof has run');
});
