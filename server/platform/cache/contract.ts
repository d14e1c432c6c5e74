/** What every cache does; each adapter's test runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TenantId } from '#base/ids';
import { type Cache, scopedCache } from './index.ts';

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

  test(`${name}: an entry without a bounded life, or too large, is refused`, async () => {
    const { cache } = await open();
    for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001]) {
      await assert.rejects(async () => cache.set('acme:a', '1', ttlMs), RangeError);
    }
    await assert.rejects(async () => cache.set('acme:a', 'x'.repeat(4_097), 1_000), RangeError);
  });

  test(`${name}: a key without a tenant's prefix is refused, so no such key exists`, async () => {
    const { cache } = await open();
    for (const key of ['a', ':a', 'acme:', 'acme', 'Acme:a', 'acme:a b', 'acme:a\n', '*', '']) {
      await assert.rejects(async () => cache.set(key, '1', 1_000), RangeError, key);
      await assert.rejects(async () => cache.add(key, 1, 1_000), RangeError, key);
      await assert.rejects(async () => cache.get(key), RangeError, key);
    }
    assert.deepEqual(await Array.fromAsync(cache.keys('')), []);
  });

  test(`${name}: a tenant's part shows its own entries and reaches no other`, async () => {
    const { cache, advance } = await open();
    const [acme, other] = [TenantId('acme'), TenantId('other')].map((t) => scopedCache(cache, t));
    await acme?.set('a', 'acme', 1_000);
    await other?.set('a', 'other', 2_000);
    assert.equal(await acme?.get('a'), 'acme');
    assert.equal(await acme?.get('other:a'), undefined);
    await acme?.remove('other:a');
    assert.equal(await other?.get('a'), 'other');
    assert.deepEqual(await Array.fromAsync(acme?.keys('') ?? []), ['a']);
    assert.deepEqual((await Array.fromAsync(cache.keys(''))).sort(), ['acme:a', 'other:a']);
    await advance(1_000);
    assert.deepEqual(await Array.fromAsync(cache.keys('')), ['other:a']);
  });
}
