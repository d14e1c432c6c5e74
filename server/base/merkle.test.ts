import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  type NodeAt,
  openFrontier,
  perfectRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';

/** The leaves and roots that Certificate Transparency's implementations are checked with. */
const LEAVES = [
  ...['', '00', '10', '2021', '3031', '40414243', '5051525354555657'],
  '606162636465666768696a6b6c6d6e6f',
].map((text) => Buffer.from(text, 'hex'));
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const [A, B, C] = [
  '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
];
const [D, E, F] = [
  'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
];

const hashes = LEAVES.map(leafHash);
const nodesOf =
  (leaves: readonly Buffer[]): NodeAt =>
  (level, index) =>
    perfectRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const hex = (proof: readonly Buffer[]) => proof.map((one) => one.toString('hex'));

/** The definition of RFC 6962 section 2.1, as it is written there. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const sha = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  const [only] = leaves;
  if (!only) return sha();
  if (leaves.length === 1) return only;
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

test('the roots are those of the reference vectors', () => {
  const frontier = openFrontier();
  assert.deepEqual(frontier.root(), EMPTY_ROOT);
  for (const [index, hash] of hashes.entries()) {
    frontier.push(hash);
    assert.equal(frontier.root().toString('hex'), ROOTS[index]);
  }
});

test('the proofs are those of the reference vectors', () => {
  const nodes = nodesOf(hashes);
  assert.deepEqual(hex(inclusionProof(nodes, 0, 1)), []);
  assert.deepEqual(hex(inclusionProof(nodes, 0, 8)), [A, B, C]);
  assert.deepEqual(hex(inclusionProof(nodes, 5, 8)), [D, E, ROOTS[3]]);
  assert.deepEqual(hex(inclusionProof(nodes, 2, 3)), [ROOTS[1]]);
  assert.deepEqual(hex(inclusionProof(nodes, 1, 5)), [ROOTS[0], B, D]);
  assert.deepEqual(hex(consistencyProof(nodes, 1, 1)), []);
  assert.deepEqual(hex(consistencyProof(nodes, 1, 8)), [A, B, C]);
  assert.deepEqual(hex(consistencyProof(nodes, 6, 8)), [F, E, ROOTS[3]]);
  assert.deepEqual(hex(consistencyProof(nodes, 2, 5)), [B, D]);
});

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(String(index))));

test('every proof of every tree of up to 40 leaves verifies against the naive root', () => {
  const leaves = leavesOf(40);
  const nodes = nodesOf(leaves);
  for (let size = 1; size <= leaves.length; size += 1) {
    const root = naiveRoot(leaves.slice(0, size));
    for (let index = 0; index < size; index += 1) {
      const proof = inclusionProof(nodes, index, size);
      assert.ok(verifyInclusion({ index, size, leaf: leaves[index] as Buffer, root, proof }));
    }
    for (let before = 1; before <= size; before += 1) {
      const first = { size: before, root: naiveRoot(leaves.slice(0, before)) };
      const proof = consistencyProof(nodes, before, size);
      assert.ok(verifyConsistency({ first, second: { size, root }, proof }), `${before} ${size}`);
    }
  }
});

test('a proof of anything else is refused: another leaf, index, size, root or path', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 200 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (size, pick, place, bit) => {
        const leaves = leavesOf(size);
        const index = pick % size;
        const [leaf, root] = [leaves[index] as Buffer, naiveRoot(leaves)];
        const proof = inclusionProof(nodesOf(leaves), index, size);
        const claim = { index, size, leaf, root, proof };
        assert.ok(verifyInclusion(claim));
        const flip = (hash: Buffer) => {
          const copy = Buffer.from(hash);
          const at = Math.floor(bit / 8);
          copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
          return copy;
        };
        const at = place % proof.length;
        const changed = proof.map((one, n) => (n === at ? flip(one) : one));
        assert.ok(!verifyInclusion({ ...claim, proof: changed }));
        assert.ok(!verifyInclusion({ ...claim, proof: proof.toSpliced(at, 1) }));
        assert.ok(!verifyInclusion({ ...claim, proof: [...proof, leaf] }));
        assert.ok(!verifyInclusion({ ...claim, leaf: flip(leaf) }));
        assert.ok(!verifyInclusion({ ...claim, root: flip(root) }));
        assert.ok(!verifyInclusion({ ...claim, index: (index + 1) % size }));
        assert.ok(!verifyInclusion({ ...claim, index: -1 }));
        assert.ok(!verifyInclusion({ ...claim, size: index }));
      },
    ),
  );
});

test('a tree that is no extension of an earlier one has no proof that it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 150 }), fc.nat(), fc.nat(), (size, pick, place) => {
      const leaves = leavesOf(size);
      const before = 1 + (pick % (size - 1));
      const first = { size: before, root: naiveRoot(leaves.slice(0, before)) };
      const second = { size, root: naiveRoot(leaves) };
      const proof = consistencyProof(nodesOf(leaves), before, size);
      assert.ok(verifyConsistency({ first, second, proof }));
      const forked = leaves.with(place % before, leafHash(Buffer.from('another')));
      const fork = { size, root: naiveRoot(forked) };
      const honest = consistencyProof(nodesOf(forked), before, size);
      assert.ok(!verifyConsistency({ first, second: fork, proof: honest }));
      assert.ok(!verifyConsistency({ first, second: fork, proof }));
      assert.ok(!verifyConsistency({ first: second, second: first, proof }));
      assert.ok(!verifyConsistency({ first, second, proof: [...proof, first.root] }));
      assert.ok(!verifyConsistency({ first, second, proof: proof.slice(1) }));
    }),
  );
});

test('sizes beyond 2^32 are exact', () => {
  const size = 2 ** 40 + 3;
  const nodes: NodeAt = (level, index) => leafHash(Buffer.from(`${level} ${index}`));
  const proof = inclusionProof(nodes, 2 ** 40, size);
  assert.equal(proof.length, 3);
  assert.equal(inclusionProof(nodes, 5, size).length, 41);
  assert.throws(() => inclusionProof(nodes, size, size), RangeError);
  assert.throws(() => consistencyProof(nodes, 0, size), RangeError);
});
