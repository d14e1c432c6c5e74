import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkEntry, checkpointOf, isSigned } from '#console/audit/proof.ts';

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (text: string) => sha(Uint8Array.of(0), Buffer.from(text));

/** A Merkle tree by its definition, to compare with. @see RFC 6962 section 2.1 */
function split(count: number): number {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
}
function rootOf(leaves: Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  const half = split(leaves.length);
  return sha(Uint8Array.of(1), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}
function pathOf(leaves: Buffer[], index: number): Buffer[] {
  if (leaves.length <= 1) return [];
  const half = split(leaves.length);
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
  return index < half
    ? [...pathOf(left, index), rootOf(right)]
    : [...pathOf(right, index - half), rootOf(left)];
}

const texts = (size: number) => Array.from({ length: size }, (_, at) => `{"entry":${at}}`);
const base64 = (bytes: Buffer) => bytes.toString('base64');

function entryOf(size: number, index: number) {
  const leaves = texts(size).map(leafOf);
  const leaf = texts(size)[index] ?? '';
  const proof = pathOf(leaves, index).map(base64);
  return { index, leaf, leafHash: base64(leafOf(leaf)), proof };
}
const treeOf = (size: number) => ({
  origin: 'troth/here/clanker',
  size,
  root: Uint8Array.from(rootOf(texts(size).map(leafOf))),
});

test('every entry of every small tree is found in it', async () => {
  for (let size = 1; size <= 20; size++)
    for (let index = 0; index < size; index++)
      expect((await checkEntry(entryOf(size, index), treeOf(size))).ok).toBe(true);
});

test('a changed text, another place, a changed path and another tree are all found', async () => {
  const tree = treeOf(13);
  const entry = entryOf(13, 6);
  const wrong = [
    { ...entry, leaf: '{"entry":7}' },
    { ...entry, index: 7 },
    { ...entry, index: 13 },
    { ...entry, proof: entry.proof.slice(1) },
    { ...entry, proof: [...entry.proof, entry.proof[0] ?? ''] },
    { ...entry, proof: entry.proof.toReversed() },
  ];
  for (const one of wrong) expect((await checkEntry(one, tree)).ok).toBe(false);
  expect((await checkEntry(entry, treeOf(14))).ok).toBe(false);
});

test('an entry whose text was cut off is still in the tree, and says that it was cut', async () => {
  const found = await checkEntry({ ...entryOf(9, 3), leaf: null }, treeOf(9));
  expect(found).toEqual({ ok: true, says: 'in the tree; its text was cut off' });
});

test('a checkpoint counts when the key signed it under its own name', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = `troth/here/clanker\n9\n${base64(rootOf(texts(9).map(leafOf)))}\n`;
  const line = (of: string) =>
    base64(Buffer.concat([Buffer.alloc(4), sign(null, Buffer.from(of), privateKey)]));
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const note = `${text}\n— troth/here/clanker ${line(text)}\n`;
  expect(await isSigned(note, x)).toBe(true);
  expect(checkpointOf(note)?.size).toBe(9);
  expect(await isSigned(note.replace('\n9\n', '\n8\n'), x)).toBe(false);
  expect(await isSigned(`${text}\n— someone/else ${line(text)}\n`, x)).toBe(false);
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  expect(await isSigned(note, other.x ?? '')).toBe(false);
});
