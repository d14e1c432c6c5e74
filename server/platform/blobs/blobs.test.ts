import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { mountSmallDisk } from '#testing/faults';
import { blobsContract } from './contract.ts';
import { openLocalBlobs, scopedBlobs } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'troth-blobs-'));
after(() => rmSync(root, { recursive: true, force: true }));
const fresh = () => openLocalBlobs(mkdtempSync(join(root, 'store-')));

blobsContract('local files', fresh);
blobsContract("one tenant's part of local files", async () => scopedBlobs(await fresh(), 'acme/'));

test("a tenant's store reaches no other tenant's objects", async () => {
  const all = await fresh();
  const [acme, other] = [scopedBlobs(all, 'acme/'), scopedBlobs(all, 'other/')];
  await acme.put('export.json', Buffer.from('acme'));
  assert.equal(await other.get('export.json'), undefined);
  await assert.rejects(async () => other.get('../acme/export.json'), {
    code: 'object-key-refused',
  });
  assert.throws(() => scopedBlobs(all, 'acme'), { code: 'object-key-refused' });
});

test('a write that does not fit leaves the old object and no part of the new one', async (t) => {
  const disk = mountSmallDisk(join(root, 'small'), 8);
  if (!disk) return t.skip('this user may not mount a small disk');
  try {
    const blobs = await openLocalBlobs(join(disk.path, 'blobs'));
    await blobs.put('kept', Buffer.from('kept'));
    const huge = Buffer.alloc(16 * 1024 * 1024, 1);
    await assert.rejects(blobs.put('kept', huge), { code: 'object-store-full' });
    assert.equal(String(await blobs.get('kept')), 'kept');
    assert.deepEqual(readdirSync(join(disk.path, 'blobs', '.parts')), []);
  } finally {
    disk.unmount();
  }
});

test('objects are readable by their owner only', async () => {
  const directory = mkdtempSync(join(root, 'modes-'));
  const blobs = await openLocalBlobs(directory);
  await blobs.put('a/b', Buffer.of(1));
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, 'a', 'b')).mode & 0o777, 0o600);
});

test('what a crash left half-written is gone at the next start, and is never listed', async () => {
  const directory = mkdtempSync(join(root, 'crash-'));
  const before = await openLocalBlobs(directory);
  await before.put('whole', Buffer.of(1));
  writeFileSync(join(directory, '.parts', 'half'), 'a person');
  assert.deepEqual(await Array.fromAsync(before.list('')), ['whole']);
  await openLocalBlobs(directory);
  assert.deepEqual(readdirSync(join(directory, '.parts')), []);
});

test('a removed object leaves no folder behind that names it', async () => {
  const directory = mkdtempSync(join(root, 'prune-'));
  const blobs = await openLocalBlobs(directory);
  await blobs.put('acme/subject/export.json', Buffer.of(1));
  await blobs.put('acme/kept', Buffer.of(1));
  await blobs.remove('acme/subject/export.json');
  assert.deepEqual(readdirSync(join(directory, 'acme')), ['kept']);
});

test('a link below the store leads nowhere', async () => {
  const directory = mkdtempSync(join(root, 'links-'));
  const blobs = await openLocalBlobs(directory);
  symlinkSync('/etc/passwd', join(directory, 'link'));
  assert.equal(await blobs.get('link'), undefined);
  assert.equal(await blobs.size('link'), undefined);
});

test('any key is either stored inside the directory or refused', async () => {
  const directory = mkdtempSync(join(root, 'any-'));
  const blobs = await openLocalBlobs(join(directory, 'store'));
  const words = fc.constantFrom(
    '..',
    '.',
    'a',
    'B9',
    '',
    '/',
    '\\',
    '%2e',
    '-',
    '_x',
    'x'.repeat(129),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (parts) => {
      const key = parts.join('/');
      const stored = await blobs.put(key, Buffer.of(1)).then(
        () => true,
        (error: { code?: string }) => error.code !== 'object-key-refused' && Promise.reject(error),
      );
      assert.deepEqual(readdirSync(directory), ['store']);
      if (stored) await blobs.remove(key);
    }),
    { numRuns: 200 },
  );
});
