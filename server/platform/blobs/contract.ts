/** What every object store does; each adapter's test runs it. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Blobs } from './blobs.ts';

async function keysOf(blobs: Blobs, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of blobs.list(prefix)) keys.push(key);
  return keys;
}

const refused = { code: 'object-key-refused' };

/** What an adapter cannot do, by the names of the cases, and why; these are reported as skipped. */
export type Cannot = { readonly reason: string; readonly cases: readonly string[] };

type Case = { readonly name: string; run(blobs: Blobs): Promise<void> };

/** Runs every case against a fresh store of the adapter. */
export function blobsContract(
  adapter: string,
  open: () => Promise<Blobs>,
  { cannot = [] }: { cannot?: readonly Cannot[] } = {},
): void {
  for (const { cases } of cannot) {
    for (const name of cases)
      assert.ok(
        CASES.some((known) => known.name === name),
        name,
      );
  }
  for (const { name, run } of CASES) {
    const excused = cannot.find(({ cases }) => cases.includes(name));
    test(`${adapter}: ${name}`, { skip: excused?.reason ?? false }, async () => run(await open()));
  }
}

const CASES: readonly Case[] = [
  {
    name: 'an object is read back byte for byte, and its size is known',
    async run(blobs) {
      const bytes = Buffer.from([0, 255, 10, 13, 0]);
      await blobs.put('exports/one.bin', bytes);
      assert.deepEqual(await blobs.get('exports/one.bin'), bytes);
      assert.equal(await blobs.size('exports/one.bin'), 5);
    },
  },

  {
    name: 'what is not there is undefined, and removing it is no error',
    async run(blobs) {
      await blobs.put('folder/object', Buffer.from('x'));
      for (const key of ['nothing', 'folder', 'folder/object/below']) {
        assert.equal(await blobs.get(key), undefined);
      }
      assert.equal(await blobs.size('nothing'), undefined);
      await blobs.remove('nothing');
    },
  },

  {
    name: 'a second put replaces the object whole',
    async run(blobs) {
      await blobs.put('a', Buffer.from('long before'));
      await blobs.put('a', Buffer.from('now'));
      assert.equal(String(await blobs.get('a')), 'now');
    },
  },

  {
    name: 'objects are listed by prefix, in order, and are gone when removed',
    async run(blobs) {
      for (const key of ['t/b/2', 't/b/1', 't/a', 'u/a', 't/b.x'])
        await blobs.put(key, Buffer.of(1));
      assert.deepEqual(await keysOf(blobs, 't/b/'), ['t/b/1', 't/b/2']);
      assert.deepEqual(await keysOf(blobs, 't/b'), ['t/b.x', 't/b/1', 't/b/2']);
      await blobs.remove('t/b/1');
      assert.deepEqual(await keysOf(blobs, 't/'), ['t/a', 't/b.x', 't/b/2']);
      assert.deepEqual(await keysOf(blobs, 'nowhere/'), []);
    },
  },

  {
    name: 'no key names a place outside the store',
    async run(blobs) {
      const escapes = [
        ...['..', '../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a/.', 'a\\..\\b'],
        ...['a\0b', '~/x', 'a/%2e%2e/b%2f', 'ä', ' ', `${'x/'.repeat(300)}x`, 'a/', '-x', 'a\nb'],
      ];
      for (const key of escapes) {
        await assert.rejects(async () => blobs.put(key, Buffer.of(1)), refused, key);
        await assert.rejects(async () => blobs.get(key), refused, key);
      }
      await assert.rejects(keysOf(blobs, '../'), refused);
    },
  },
  {
    name: 'a body that comes in pieces is stored whole, and is read back in pieces',
    async run(blobs) {
      const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(50_000, index));
      await blobs.put('large', Readable.from(pieces));
      const stream = await blobs.read('large');
      assert.ok(stream);
      assert.deepEqual(await buffer(stream), Buffer.concat(pieces));
      assert.equal(await blobs.read('nothing'), undefined);
    },
  },
  {
    name: 'a body that fails half-way leaves the old object, and no new one',
    async run(blobs) {
      async function* failing() {
        yield Buffer.from('half');
        throw new Error('the source ended');
      }
      await blobs.put('kept', Buffer.from('kept'));
      await assert.rejects(blobs.put('kept', failing()), /the source ended/);
      await assert.rejects(blobs.put('fresh', failing()), /the source ended/);
      assert.equal(String(await blobs.get('kept')), 'kept');
      assert.deepEqual(await keysOf(blobs, ''), ['kept']);
    },
  },
  {
    name: 'puts and removals at the same time leave whole objects',
    async run(blobs) {
      const keys = Array.from({ length: 12 }, (_, index) => `folder/${index % 3}`);
      await Promise.all(
        keys.map(async (key, index) => {
          await blobs.put(key, Buffer.alloc(1_000, key));
          if (index % 2 === 0) await blobs.remove(key);
        }),
      );
      for (const key of await keysOf(blobs, 'folder/')) {
        assert.deepEqual(await blobs.get(key), Buffer.alloc(1_000, key));
      }
    },
  },
  {
    name: 'a key may not go on below an object',
    async run(blobs) {
      await blobs.put('a/b', Buffer.of(1));
      await assert.rejects(blobs.put('a', Buffer.of(1)), refused);
      await assert.rejects(blobs.put('a/b/c', Buffer.of(1)), refused);
      assert.deepEqual(await keysOf(blobs, ''), ['a/b']);
    },
  },
];
