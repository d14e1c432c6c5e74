import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
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
  await assert.rejects(async () => other.get('../acme/export.json'), { code: 'object-key-refused' });
  assert.throws(() => scopedBlobs(all, 'acme'), { code: 'object-key-refused' });
});

test('a write that does not fit leaves the old object and no part of the new one', async (t) => {
  const small = process.env['TROTH_TEST_FULL_DIR'];
  if (!small) return t.skip('TROTH_TEST_FULL_DIR names no small file system');
  const directory = mkdtempSync(join(small, 'blobs-'));
  const blobs = await openLocalBlobs(directory);
  await blobs.put('kept', Buffer.from('kept'));
  const huge = Buffer.alloc(64 * 1024 * 1024, 1);
  await assert.rejects(blobs.put('kept', huge), { code: 'object-store-full' });
  assert.equal(String(await blobs.get('kept')), 'kept');
  assert.deepEqual(readdirSync(directory), ['kept']);
});

test('objects are readable by their owner only', async () => {
  const directory = mkdtempSync(join(root, 'modes-'));
  const blobs = await openLocalBlobs(directory);
  await blobs.put('a/b', Buffer.of(1));
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, 'a', 'b')).mode & 0o777, 0o600);
});
