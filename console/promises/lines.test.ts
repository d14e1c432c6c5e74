import { expect, test } from 'vitest';
import { lineNumbers, linesOf } from '#console/promises/lines.ts';

test('the lines of a quote are read as single lines, ranges and lists', () => {
  expect(lineNumbers('9')).toEqual([9]);
  expect(lineNumbers('63-64')).toEqual([63, 64]);
  expect(lineNumbers('5, 12-13')).toEqual([5, 12, 13]);
  expect(lineNumbers(null)).toEqual([]);
});

test('an absurd range is cut instead of filling the page', () => {
  expect(lineNumbers('1-99999999')).toHaveLength(201);
});

test('a sentence is shown with two lines around it, blank ones left out', () => {
  const lines = ['one', '', 'three', 'four', 'five', 'six', 'seven'];
  expect(linesOf('4', lines).map(({ number }) => number)).toEqual([3, 4, 5, 6]);
  expect(linesOf('4', lines).find(({ quoted }) => quoted)?.text).toBe('four');
});
