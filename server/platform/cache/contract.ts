/** What every cache does; each adapter's test runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cache } from './index.ts';

type Opened = { cache: Cache; advance(milliseconds: number): Promise<void> | void };

export function cacheContract(name: string, open: () => Promise<Opened>): void {
  test(`${name}: a value is there until its time is over, and not a millisecond longer`, async () => {
    const { cache, advance } = await open();
    await cache.set('acme:a', 'one', 1_000);
    await advance(999);
    assert.equal(await cache.get('acme:a'), 'one');
    await advance(1);
    assert.equal(await cache.get('acme:a'), undefined);
  });

  test(`${name}: a counter counts from nothing, and its window is not prolonged`, async () => {
    const { cache, advance } = await open();
    assert.equal(await cache.add('acme:n', 2, 1_000), 2);
    await advance(600);
    assert.equal(await cache.add('acme:n', 3, 1_000), 5);
    await advance(400);
    assert.equal(await cache.add('acme:n', 1, 1_000), 1);
  });

  test(`${name}: forgetting one tenant leaves the others`, async () => {
    const { cache } = await open();
    for (const key of ['acme:a', 'acme:b', 'other:a']) await cache.set(key, '1', 1_000);
    await cache.remove('acme:b');
    await cache.removeAll('acme:');
    assert.equal(await cache.get('acme:a'), undefined);
    assert.equal(await cache.get('other:a'), '1');
  });

  test(`${name}: an entry without a life is refused`, async () => {
    const { cache } = await open();
    await assert.rejects(async () => cache.set('acme:a', '1', 0), RangeError);
  });
}
