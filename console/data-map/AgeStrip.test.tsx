import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { DataType } from '#console/api.ts';
import { AgeStrip, placeOfAge } from '#console/data-map/AgeStrip.tsx';

const DAY_MS = 86_400_000;
const addresses: DataType = {
  id: 'ip-addresses',
  title: 'IP Addresses',
  from: 'http',
  party: 'first',
  categories: [],
  purposes: [],
  retain: { text: '30 days', limitMs: 30 * DAY_MS },
  key: 'subject',
  fields: [],
  store: 'clickhouse',
  rows: 5,
  oldestAt: null,
  oldestAgeMs: 29 * DAY_MS,
  uncounted: null,
};

test('an age stands before the limit until it reaches it, and beyond it after', () => {
  expect(placeOfAge(0, 30)).toBe(0);
  expect(placeOfAge(30, 30)).toBe(80);
  expect(placeOfAge(31, 30)).toBeGreaterThan(80);
  expect(placeOfAge(3_000, 30)).toBe(100);
});

test('data older than its limit is called late, in words', () => {
  const late = renderToStaticMarkup(<AgeStrip type={{ ...addresses, oldestAgeMs: 31 * DAY_MS }} />);
  expect(late).toContain('late');
  expect(late).toContain('31 d of 30 d');
  expect(renderToStaticMarkup(<AgeStrip type={addresses} />)).not.toContain('late');
});

test('a type that is not counted says why, and shows no age', () => {
  const uncounted = { ...addresses, rows: null, oldestAgeMs: null, uncounted: 'not produced' };
  expect(renderToStaticMarkup(<AgeStrip type={uncounted} />)).toContain('30 d · not produced');
});
