import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movableClock } from '#base/clock';
import { cacheContract } from './contract.ts';
import { openLocalCache } from './index.ts';

const open = async (entriesMax?: number) => {
  const clock = movableClock(new Date('2026-03-02T09:00:00Z'));
  const cache = openLocalCache(clock, entriesMax === undefined ? {} : { entriesMax });
  return { cache, advance: clock.advance };
};

cacheContract('in process', () => open());

test('a full cache forgets its oldest entry and never grows', async () => {
  const { cache } = await open(2);
  for (const key of ['acme:a', 'acme:b', 'acme:c']) await cache.set(key, key, 1_000);
  assert.equal(await cache.get('acme:a'), undefined);
  assert.equal(await cache.get('acme:c'), 'acme:c');
});
