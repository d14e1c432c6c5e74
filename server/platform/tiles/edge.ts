/**
 * The right edge of a tree: for each level of tiles, the hashes of the tile that is not full yet.
 * All that is needed to grow the tree and to know its root.
 */
import { perfectRoot, rootOfPeaks } from '#base/merkle';
import { levelCounts, TILE_HASHES } from './paths.ts';

export type Edge = {
  readonly size: number;
  /** By level, lowest first; each holds at most 255. */
  readonly levels: readonly (readonly Buffer[])[];
};

export const EMPTY_EDGE: Edge = { size: 0, levels: [] };

/** A tile that became full. */
export type FullTile = {
  readonly level: number;
  readonly index: number;
  readonly hashes: readonly Buffer[];
};

/** Adds leaf hashes; returns the new edge and every tile that became full, lowest level first. */
export function grow(edge: Edge, leaves: readonly Buffer[]): { edge: Edge; full: FullTile[] } {
  const levels = edge.levels.map((hashes) => [...hashes]);
  const full: FullTile[] = [];
  let { size } = edge;
  const push = (level: number, hash: Buffer) => {
    levels[level] ??= [];
    const hashes = levels[level];
    hashes.push(hash);
    if (hashes.length < TILE_HASHES) return;
    levels[level] = [];
    const index = size / TILE_HASHES ** (level + 1) - 1;
    full.push({ level, index, hashes });
    push(level + 1, perfectRoot(hashes));
  };
  for (const leaf of leaves) {
    size += 1;
    push(0, leaf);
  }
  return { edge: { size, levels }, full };
}

/** The tiles of the edge: where each partial one lies, and its hashes. */
export function partialTiles(edge: Edge): FullTile[] {
  return levelCounts(edge.size).flatMap((count, level) => {
    const hashes = edge.levels[level] ?? [];
    return hashes.length > 0 ? [{ level, index: Math.floor(count / TILE_HASHES), hashes }] : [];
  });
}

export function rootOf(edge: Edge): Buffer {
  const peaks: Buffer[] = [];
  for (const hashes of edge.levels.toReversed()) {
    let at = 0;
    for (let width = TILE_HASHES / 2; width >= 1; width /= 2) {
      if (hashes.length - at < width) continue;
      peaks.push(perfectRoot(hashes.slice(at, at + width)));
      at += width;
    }
  }
  return rootOfPeaks(peaks);
}
