/**
 * Checks a log's folder from outside: every entry against its hash, every hash against the level
 * above, and the root against the signed checkpoint. Shares no state with what writes the log.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { HASH_BYTES, leafHash } from '#base/merkle';
import { type Checkpoint, openCheckpoint } from '#base/signed-note';
import { decodeBundle } from './bundle.ts';
import { type Edge, EMPTY_EDGE, type FullTile, grow, partialTiles, rootOf } from './edge.ts';
import { TILE_HASHES, tilePath } from './paths.ts';
import { CHECKPOINT, readIfThere } from './reading.ts';

export type LogFault = {
  readonly fault:
    | 'checkpoint-missing'
    /** Not signed by the key, or the checkpoint of another log. */
    | 'checkpoint-forged'
    | 'copy-forged'
    /** An earlier state than one that was signed before. */
    | 'rolled-back'
    /** Another history than one that was signed before. */
    | 'forked'
    | 'tile-damaged'
    | 'entry-damaged';
  /** A path below the folder, or the index of an entry. */
  readonly where: string;
};

export type CheckedLog = {
  readonly checkpoint: Checkpoint;
  readonly edge: Edge;
  /** The entries of the last bundle, when it is not full. */
  readonly bundle: readonly Buffer[];
  /** How many bodies are cut off, and the last index of one; -1 for none. */
  readonly cut: { readonly count: number; readonly last: number };
};

export type CheckOptions = {
  readonly origin: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Checkpoints of before, which this log must extend. Notes, signed by the same key. */
  readonly since?: readonly string[];
  /** Looks at the leaf hashes of each tile; for comparing with another store. */
  readonly onTile?: (tile: { index: number; hashes: Buffer }) => void | Promise<void>;
  readonly onEntry?: (index: number, entry: Buffer) => void;
};

const faultAt = (fault: LogFault['fault'], where: string | number): LogFault => ({
  fault,
  where: String(where),
});

/** An earlier checkpoint, and the root that this tree has at its size. */
type Mark = { readonly size: number; readonly root: Buffer };

async function isEmpty(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch(() => []);
  return names.every((name) => name.startsWith('.'));
}

/** The checkpoint and the earlier ones, each opened and compared by size. */
async function openMarks(
  dir: string,
  { origin, publicKey, since = [] }: CheckOptions,
): Promise<{ checkpoint: Checkpoint; marks: Mark[] } | LogFault | 'empty'> {
  const marks: Mark[] = [];
  for (const note of since) {
    const mark = openCheckpoint(note, publicKey);
    if (mark?.origin !== origin) return faultAt('copy-forged', CHECKPOINT);
    marks.push(mark);
  }
  const note = await readIfThere(join(dir, CHECKPOINT));
  if (!note) {
    if (marks.some(({ size }) => size > 0)) return faultAt('rolled-back', CHECKPOINT);
    return (await isEmpty(dir)) ? 'empty' : faultAt('checkpoint-missing', CHECKPOINT);
  }
  const checkpoint = openCheckpoint(note.toString('utf8'), publicKey);
  if (checkpoint?.origin !== origin) return faultAt('checkpoint-forged', CHECKPOINT);
  if (marks.some(({ size }) => size > checkpoint.size)) return faultAt('rolled-back', CHECKPOINT);
  return { checkpoint, marks };
}

const joined = (hashes: readonly Buffer[]) => Buffer.concat(hashes as Buffer[]);

async function sameTile(dir: string, { level, index, hashes }: FullTile): Promise<boolean> {
  const path = tilePath({ level, index, width: hashes.length });
  return (await readIfThere(join(dir, path)))?.equals(joined(hashes)) ?? false;
}

/** The hashes and entries of one tile of leaves, compared with each other. */
async function readLeaves(
  dir: string,
  index: number,
  width: number,
): Promise<{ bytes: Buffer; hashes: Buffer[]; entries: Buffer[] } | LogFault> {
  const [tile, bundle] = [
    tilePath({ level: 0, index, width }),
    tilePath({ level: 'entries', index, width }),
  ];
  const [bytes, packed] = await Promise.all([
    readIfThere(join(dir, tile)),
    readIfThere(join(dir, bundle)),
  ]);
  if (bytes?.length !== width * HASH_BYTES) return faultAt('tile-damaged', tile);
  const entries = packed && decodeBundle(packed, width);
  if (!entries) return faultAt('tile-damaged', bundle);
  const hashes = entries.map((_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  const wrong = entries.findIndex(
    (entry, at) => entry.length > 0 && !leafHash(entry).equals(hashes[at] as Buffer),
  );
  return wrong < 0
    ? { bytes, hashes, entries }
    : faultAt('entry-damaged', index * TILE_HASHES + wrong);
}

/** Grows the tree by one tile of leaves, stopping where an earlier checkpoint must fit. */
function growPast(
  edge: Edge,
  hashes: readonly Buffer[],
  marks: readonly Mark[],
): { edge: Edge; full: FullTile[] } | 'forked' {
  const full: FullTile[] = [];
  let grown = edge;
  const stops = marks
    .map(({ size }) => size - edge.size)
    .filter((stop) => stop >= 0 && stop <= hashes.length);
  for (const stop of [...new Set([...stops, hashes.length])].sort((a, b) => a - b)) {
    const next = grow(grown, hashes.slice(grown.size - edge.size, stop));
    full.push(...next.full);
    grown = next.edge;
    const here = marks.filter(({ size }) => size === grown.size);
    if (here.some(({ root }) => !root.equals(rootOf(grown)))) return 'forked';
  }
  return { edge: grown, full };
}

/**
 * Reads the whole log once, in memory that does not grow with it.
 *
 * @returns what is needed to go on with it, the first fault, or `empty` where no log was begun.
 */
export async function checkLog(
  dir: string,
  options: CheckOptions,
): Promise<CheckedLog | LogFault | 'empty'> {
  const opened = await openMarks(dir, options);
  if (opened === 'empty' || 'fault' in opened) return opened;
  const { checkpoint, marks } = opened;
  let edge = EMPTY_EDGE;
  let bundle: readonly Buffer[] = [];
  let cut = { count: 0, last: -1 };
  for (let index = 0; edge.size < checkpoint.size; index += 1) {
    const width = Math.min(TILE_HASHES, checkpoint.size - edge.size);
    const leaves = await readLeaves(dir, index, width);
    if ('fault' in leaves) return leaves;
    for (const [at, entry] of leaves.entries.entries()) {
      if (entry.length === 0) cut = { count: cut.count + 1, last: edge.size + at };
      else options.onEntry?.(edge.size + at, entry);
    }
    const grown = growPast(edge, leaves.hashes, marks);
    if (grown === 'forked') return faultAt('forked', CHECKPOINT);
    for (const tile of grown.full.filter(({ level }) => level > 0)) {
      const path = tilePath({ ...tile, width: tile.hashes.length });
      if (!(await sameTile(dir, tile))) return faultAt('tile-damaged', path);
    }
    await options.onTile?.({ index, hashes: leaves.bytes });
    ({ edge } = grown);
    bundle = width < TILE_HASHES ? leaves.entries : [];
    // Whoever waits for this process gets a turn.
    if (index % 16 === 15) await turn();
  }
  for (const tile of partialTiles(edge)) {
    const path = tilePath({ ...tile, width: tile.hashes.length });
    if (!(await sameTile(dir, tile))) return faultAt('tile-damaged', path);
  }
  if (!rootOf(edge).equals(checkpoint.root)) return faultAt('forked', CHECKPOINT);
  return { checkpoint, edge, bundle, cut };
}
