/**
 * Merkle trees as RFC 6962 hashes them: roots, inclusion and consistency proofs, and their checks.
 *
 * Sizes and indexes are exact up to 2^53, so no bit operation touches them (those cut to 32 bits).
 *
 * @see RFC 6962 section 2.1 for the hashes and proofs; RFC 9162 sections 2.1.3.2 and 2.1.4.2 for
 *      the checks. The reference vectors are in ./merkle.test.ts.
 */
import { createHash, hash } from 'node:crypto';

export const HASH_BYTES = 32;
/** The root of a tree without leaves. */
export const EMPTY_ROOT = hash('sha256', Buffer.alloc(0), 'buffer');

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

export const leafHash = (leaf: Uint8Array): Buffer =>
  createHash('sha256').update(LEAF).update(leaf).digest();

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([NODE, left, right]), 'buffer');

/** The root over 2^k hashes of equal height. */
export function perfectRoot(hashes: readonly Buffer[]): Buffer {
  let level = hashes;
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      above.push(nodeHash(level[at] as Buffer, level[at + 1] as Buffer));
    }
    level = above;
  }
  const [root] = level;
  if (!root) throw new RangeError('a perfect tree has leaves');
  return root;
}

/** The root of a tree whose perfect subtrees, largest first, have these roots. */
export function rootOfPeaks(peaks: readonly Buffer[]): Buffer {
  const last = peaks.at(-1);
  if (!last) return EMPTY_ROOT;
  return peaks.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

export type Frontier = {
  readonly size: number;
  push(leaf: Buffer): void;
  root(): Buffer;
};

/** A tree that only grows: holds log2(size) hashes, whatever its size. */
export function openFrontier(): Frontier {
  const peaks: { height: number; hash: Buffer }[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    push(leaf) {
      let top = { height: 0, hash: leaf };
      for (let last = peaks.at(-1); last?.height === top.height; last = peaks.at(-1)) {
        peaks.pop();
        top = { height: top.height + 1, hash: nodeHash(last.hash, top.hash) };
      }
      peaks.push(top);
      size += 1;
    },
    root: () => rootOfPeaks(peaks.map((peak) => peak.hash)),
  };
}

/** The hash of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level). */
export type NodeAt = (level: number, index: number) => Buffer;

/** The largest power of two below `count`, which is at least 2. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** MTH(D[from:to]); `from` is where a subtree of this size may begin. */
function rangeRoot(nodeAt: NodeAt, from: number, to: number): Buffer {
  const count = to - from;
  let level = 0;
  for (let width = 1; width < count; width *= 2) level += 1;
  if (2 ** level === count) return nodeAt(level, from / count);
  const split = from + splitOf(count);
  return nodeHash(rangeRoot(nodeAt, from, split), rangeRoot(nodeAt, split, to));
}

/** @throws RangeError unless 0 <= index < size. */
export function inclusionProof(nodeAt: NodeAt, index: number, size: number): Buffer[] {
  if (!(index >= 0 && index < size)) throw new RangeError('there is no such leaf');
  const proof: Buffer[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const split = from + splitOf(to - from);
    const [left, right] = [[from, split] as const, [split, to] as const];
    const sibling = index < split ? right : left;
    proof.unshift(rangeRoot(nodeAt, ...sibling));
    [from, to] = index < split ? left : right;
  }
  return proof;
}

/** @throws RangeError unless 0 < first <= second. */
export function consistencyProof(nodeAt: NodeAt, first: number, second: number): Buffer[] {
  if (!(first > 0 && first <= second)) throw new RangeError('there are no such sizes');
  const proof: Buffer[] = [];
  let [from, to] = [0, second];
  while (first !== to) {
    const split = from + splitOf(to - from);
    if (first <= split) {
      proof.unshift(rangeRoot(nodeAt, split, to));
      to = split;
    } else {
      proof.unshift(rangeRoot(nodeAt, from, split));
      from = split;
    }
  }
  // What is left is a subtree of the first tree; only when it is that whole tree is it known.
  if (from > 0) proof.unshift(rangeRoot(nodeAt, from, to));
  return proof;
}

const isOdd = (number: number) => number % 2 === 1;
const half = (number: number) => Math.floor(number / 2);
const isPowerOfTwo = (number: number) => 2 ** Math.round(Math.log2(number)) === number;
const areHashes = (hashes: readonly Uint8Array[]) =>
  hashes.every((one) => one.length === HASH_BYTES);

export type InclusionClaim = {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** True when a tree of this size and root has this leaf hash at this index. */
export function verifyInclusion({ index, size, leaf, root, proof }: InclusionClaim): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index)) return false;
  if (index < 0 || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [at, last] = [index, size - 1];
  let found: Uint8Array = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      found = nodeHash(sibling, found);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      found = nodeHash(found, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && Buffer.compare(found, root) === 0;
}

export type ConsistencyClaim = {
  readonly first: { readonly size: number; readonly root: Uint8Array };
  readonly second: { readonly size: number; readonly root: Uint8Array };
  readonly proof: readonly Uint8Array[];
};

/** True when the second tree begins with all of the first. Nothing is consistent with everything. */
export function verifyConsistency({ first, second, proof }: ConsistencyClaim): boolean {
  if (!Number.isSafeInteger(second.size) || !areHashes([first.root, second.root, ...proof]))
    return false;
  if (!Number.isSafeInteger(first.size) || first.size < 0 || first.size > second.size) return false;
  const same = Buffer.compare(first.root, second.root) === 0;
  if (first.size === second.size) return proof.length === 0 && same;
  if (first.size === 0) return proof.length === 0 && EMPTY_ROOT.equals(first.root);
  const path = isPowerOfTwo(first.size) ? [first.root, ...proof] : [...proof];
  let [at, last] = [first.size - 1, second.size - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  let [old, now] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    if (last === 0 || !old || !now) return false;
    if (isOdd(at) || at === last) {
      old = nodeHash(sibling, old);
      now = nodeHash(sibling, now);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      now = nodeHash(now, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  if (!old || !now || last !== 0) return false;
  return Buffer.compare(old, first.root) === 0 && Buffer.compare(now, second.root) === 0;
}
