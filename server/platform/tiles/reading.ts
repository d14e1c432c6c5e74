/** Reads a log's folder: tiles of any size that it has had, and proofs from them. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  consistencyProof,
  HASH_BYTES,
  inclusionProof,
  type NodeAt,
  perfectRoot,
} from '#base/merkle';
import { cutBundle, decodeBundle } from './bundle.ts';
import { partialFolder, TILE_HASHES, type Tile, tilePath, widthIn } from './paths.ts';

export const CHECKPOINT = 'checkpoint';

const isMissing = (error: unknown) =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** `undefined` when there is no such file. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function readNow(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The widths of the partial versions that are there. */
function partialWidths(dir: string, tile: Tile): number[] {
  try {
    return readdirSync(join(dir, partialFolder(tile)))
      .map(Number)
      .filter(Number.isInteger);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * A tile of this width, cut from a wider one where the log has grown since: the widest is kept.
 */
export function readTile(dir: string, tile: Tile): Buffer | undefined {
  // The tile may be replaced by a wider one between two looks, though not twice in a moment.
  return readAnyWidth(dir, tile) ?? readAnyWidth(dir, tile);
}

function readAnyWidth(dir: string, tile: Tile): Buffer | undefined {
  const exact = readNow(join(dir, tilePath(tile)));
  if (exact) return exact;
  const wider = partialWidths(dir, tile).filter((width) => width > tile.width);
  for (const width of [TILE_HASHES, ...wider]) {
    const bytes = readNow(join(dir, tilePath({ ...tile, width })));
    if (!bytes) continue;
    return tile.level === 'entries'
      ? cutBundle(bytes, tile.width)
      : bytes.subarray(0, tile.width * HASH_BYTES);
  }
  return undefined;
}

export type LogReader = {
  readonly size: number;
  leafHash(index: number): Buffer;
  /** The entry's bytes; none when its body was cut off. */
  entry(index: number): Buffer;
  inclusion(index: number): Buffer[];
  consistency(first: number): Buffer[];
};

/**
 * Reads a tree of a size that was signed. Tiles are remembered, so keep it for one answer only.
 *
 * @throws Error for a tile that is missing or has another length.
 */
export function openLogReader(dir: string, size: number): LogReader {
  const tiles = new Map<string, Buffer>();
  const bundles = new Map<number, Buffer[]>();

  function bytesOf(level: Tile['level'], index: number): { bytes: Buffer; width: number } {
    const width = widthIn(size, { level, index });
    const path = tilePath({ level, index, width });
    const bytes = tiles.get(path) ?? readTile(dir, { level, index, width });
    const torn = level !== 'entries' && bytes?.length !== width * HASH_BYTES;
    if (!bytes || torn) throw new Error(`the log lacks ${path}`);
    tiles.set(path, bytes);
    return { bytes, width };
  }

  const nodeAt: NodeAt = (level, index) => {
    const height = level % 8;
    const first = index * 2 ** height;
    const { bytes } = bytesOf((level - height) / 8, Math.floor(first / TILE_HASHES));
    const from = first % TILE_HASHES;
    return perfectRoot(
      Array.from({ length: 2 ** height }, (_, at) =>
        bytes.subarray((from + at) * HASH_BYTES, (from + at + 1) * HASH_BYTES),
      ),
    );
  };

  return {
    size,
    leafHash: (index) => nodeAt(0, index),
    entry(index) {
      const at = Math.floor(index / TILE_HASHES);
      let bundle = bundles.get(at);
      if (!bundle) {
        const { bytes, width } = bytesOf('entries', at);
        bundle = decodeBundle(bytes, width);
        if (!bundle) throw new Error(`the log's bundle ${at} is damaged`);
        bundles.set(at, bundle);
      }
      const entry = bundle[index % TILE_HASHES];
      if (!entry) throw new RangeError('there is no such entry');
      return entry;
    },
    inclusion: (index) => inclusionProof(nodeAt, index, size),
    consistency: (first) => consistencyProof(nodeAt, first, size),
  };
}
