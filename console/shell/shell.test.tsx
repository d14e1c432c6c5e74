import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { placeOf } from '#console/shell/routes.ts';
import { CountsBar, StateMark } from '#console/shell/State.tsx';
import { length, shortCount } from '#console/shell/words.tsx';

const HOUR_MS = 3_600_000;

test('a URL leads to one screen of one service, and to nothing else', () => {
  expect(placeOf('/')).toEqual({ name: 'overview' });
  expect(placeOf('/services/clanker')).toMatchObject({ service: 'clanker', screen: 'promises' });
  expect(placeOf('/services/clanker/data')).toMatchObject({ screen: 'data' });
  expect(placeOf('/services/clanker/other')).toEqual({ name: 'nowhere' });
  expect(placeOf('/services/clanker/data/more')).toEqual({ name: 'nowhere' });
  expect(placeOf('/elsewhere/clanker')).toEqual({ name: 'nowhere' });
});

test('a length is said in its two largest units', () => {
  expect(length(29 * 24 * HOUR_MS + 3 * HOUR_MS)).toBe('29 d 3 h');
  expect(length(30 * 24 * HOUR_MS)).toBe('30 d');
  expect(length(250_000)).toBe('4 min 10 s');
  expect(length(250_000, 1)).toBe('4 min');
  expect(length(12)).toBe('12 ms');
});

test('a large count is short and a small one exact', () => {
  expect(shortCount(9_999)).toBe('9,999');
  expect(shortCount(272_504)).toBe('272.5k');
});

test('a state is said by a word and a shape, never by colour alone', () => {
  expect(renderToStaticMarkup(<StateMark state="broken" />)).toMatch(/▲.*broken/);
  expect(renderToStaticMarkup(<StateMark state="attested" />)).toMatch(/◆.*attested/);
});

test('the bar of counts says the counts, zeros included', () => {
  const bar = renderToStaticMarkup(
    <CountsBar counts={{ kept: 4, broken: 0, gap: 1, attested: 2 }} />,
  );
  expect(bar).toContain('aria-label="4 kept, 0 broken, 1 gap, 2 attested"');
});
