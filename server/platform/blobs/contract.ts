/** What every object store does; each adapter's test runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Blobs } from './blobs.ts';

async function keysOf(blobs: Blobs, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of blobs.list(prefix)) keys.push(key);
  return keys;
}

const refused = { code: 'object-key-refused' };

export function blobsContract(name: string, open: () => Promise<Blobs>): void {
  test(`${name}: an object is read back byte for byte, and its size is known`, async () => {
    const blobs = await open();
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    await blobs.put('exports/one.bin', bytes);
    assert.deepEqual(await blobs.get('exports/one.bin'), bytes);
    assert.equal(await blobs.size('exports/one.bin'), 5);
  });

  test(`${name}: what is not there is undefined, and removing it is no error`, async () => {
    const blobs = await open();
    await blobs.put('folder/object', Buffer.from('x'));
    for (const key of ['nothing', 'folder', 'folder/object/below']) {
      assert.equal(await blobs.get(key), undefined);
    }
    assert.equal(await blobs.size('nothing'), undefined);
    await blobs.remove('nothing');
  });

  test(`${name}: a second put replaces the object whole`, async () => {
    const blobs = await open();
    await blobs.put('a', Buffer.from('long before'));
    await blobs.put('a', Buffer.from('now'));
    assert.equal(String(await blobs.get('a')), 'now');
  });

  test(`${name}: objects are listed by prefix, in order, and are gone when removed`, async () => {
    const blobs = await open();
    for (const key of ['t/b/2', 't/b/1', 't/a', 'u/a', 't/b.x']) await blobs.put(key, Buffer.of(1));
    assert.deepEqual(await keysOf(blobs, 't/b/'), ['t/b/1', 't/b/2']);
    assert.deepEqual(await keysOf(blobs, 't/b'), ['t/b.x', 't/b/1', 't/b/2']);
    await blobs.remove('t/b/1');
    assert.deepEqual(await keysOf(blobs, 't/'), ['t/a', 't/b.x', 't/b/2']);
    assert.deepEqual(await keysOf(blobs, 'nowhere/'), []);
  });

  test(`${name}: no key names a place outside the store`, async () => {
    const blobs = await open();
    const escapes = [
      ...['..', '../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/.', 'a\\..\\b'],
      ...['a\0b', '~/x', 'a/%2e%2e/b%2f', 'ä', ' ', `${'x/'.repeat(300)}x`, 'a/', '-x', 'a\nb'],
    ];
    for (const key of escapes) {
      await assert.rejects(async () => blobs.put(key, Buffer.of(1)), refused, key);
      await assert.rejects(async () => blobs.get(key), refused, key);
    }
    await assert.rejects(keysOf(blobs, '../'), refused);
  });
}
