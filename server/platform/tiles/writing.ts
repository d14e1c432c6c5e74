/**
 * Writes a log's folder: tiles first, then the signed checkpoint that speaks of them, then what
 * only the checkpoint before needed is removed. A crash at any point leaves a checkpoint all of
 * whose tiles are there.
 */
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Signer } from '#base/ed25519';
import { leafHash } from '#base/merkle';
import { openCheckpoint, signCheckpoint } from '#base/signed-note';
import { CUT, decodeBundle, encodeBundle } from './bundle.ts';
import type { CheckedLog } from './check.ts';
import { writeDurably } from './durable.ts';
import { type Edge, EMPTY_EDGE, type FullTile, grow, partialTiles, rootOf } from './edge.ts';
import { partialFolder, TILE_HASHES, tilePath } from './paths.ts';
import { CHECKPOINT, readIfThere } from './reading.ts';

/** A log that is open for writing. Never used again after a write of it failed: open it anew. */
export type OpenLog = {
  readonly origin: string;
  readonly edge: Edge;
  readonly bundle: readonly Buffer[];
};

export type LogPlace = {
  readonly dir: string;
  /** A second copy of the checkpoint, where a roll back of `dir` does not reach. */
  readonly copy: { readonly dir: string; readonly name: string };
  readonly signer: Signer;
};

export const newLog = (origin: string): OpenLog => ({ origin, edge: EMPTY_EDGE, bundle: [] });

export const logOf = ({ checkpoint, edge, bundle }: CheckedLog): OpenLog => ({
  origin: checkpoint.origin,
  edge,
  bundle,
});

const hashTile = ({ level, index, hashes }: FullTile) =>
  [tilePath({ level, index, width: hashes.length }), Buffer.concat(hashes as Buffer[])] as const;

/** The bundles that these entries fill or begin, the one that was begun before included. */
function bundlesOf(log: OpenLog, entries: readonly Buffer[]) {
  const all = [...log.bundle, ...entries];
  const first = Math.floor(log.edge.size / TILE_HASHES);
  const files: (readonly [string, Buffer])[] = [];
  for (let at = 0; at < all.length; at += TILE_HASHES) {
    const part = all.slice(at, at + TILE_HASHES);
    const index = first + at / TILE_HASHES;
    const path = tilePath({ level: 'entries', index, width: part.length });
    files.push([path, encodeBundle(part)]);
  }
  const rest = all.length % TILE_HASHES;
  return { files, bundle: rest === 0 ? [] : all.slice(-rest) };
}

/**
 * Makes sure that the folder still is what we left: else it was changed behind our back, and going
 * on would sign over it.
 */
export async function isAsLeft({ dir, signer }: LogPlace, { edge }: OpenLog): Promise<boolean> {
  const note = await readIfThere(join(dir, CHECKPOINT));
  if (!note) return edge.size === 0;
  const seen = openCheckpoint(note.toString('utf8'), signer.publicKey);
  return seen !== undefined && seen.size === edge.size && seen.root.equals(rootOf(edge));
}

/**
 * Appends entries and signs the tree with them; returns when all of it is on the disk.
 *
 * @throws Error of the file system, of the signer. The folder then holds the tree before, or the
 *         new one.
 */
export async function appendEntries(
  place: LogPlace,
  log: OpenLog,
  entries: readonly Buffer[],
): Promise<OpenLog> {
  const { edge, full } = grow(log.edge, entries.map(leafHash));
  const { files, bundle } = bundlesOf(log, entries);
  const partial = partialTiles(edge);
  await writeDurably(place.dir, [...files, ...[...full, ...partial].map(hashTile)]);
  const checkpoint = { origin: log.origin, size: edge.size, root: rootOf(edge) };
  const note = await signCheckpoint(checkpoint, place.signer);
  await writeDurably(place.dir, [[CHECKPOINT, note]]);
  await writeDurably(place.copy.dir, [[place.copy.name, note]]);
  const grown = { origin: log.origin, edge, bundle };
  await removeOld(place.dir, log.edge, edge);
  return grown;
}

const partialPlaces = (edge: Edge) => [
  ...partialTiles(edge).map(({ level, index, hashes }) => ({ level, index, width: hashes.length })),
  ...(edge.size % TILE_HASHES === 0
    ? []
    : [
        {
          level: 'entries' as const,
          index: Math.floor(edge.size / TILE_HASHES),
          width: edge.size % TILE_HASHES,
        },
      ]),
];

/** Readers of an older size cut it from the wider tile, so the narrow one may go. */
async function removeOld(dir: string, before: Edge, now: Edge): Promise<void> {
  const kept = new Set(partialPlaces(now).map(tilePath));
  for (const tile of partialPlaces(before)) {
    const path = tilePath(tile);
    if (kept.has(path)) continue;
    const isSameFolder = [...kept].some((other) => dirname(other) === partialFolder(tile));
    const gone = isSameFolder ? path : partialFolder(tile);
    await rm(join(dir, gone), { force: true, recursive: true });
  }
}

/** Removes what a crash left of an append that was never signed. */
export async function removeStrays(dir: string, edge: Edge): Promise<void> {
  const kept = new Set(partialPlaces(edge).map(tilePath));
  const found = await readdir(join(dir, 'tile'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  for (const entry of found) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(dir.length + 1);
    const isPartial = path.includes('.p/');
    if ((isPartial && !kept.has(path)) || entry.name.endsWith('.draft')) {
      await rm(file, { force: true });
    }
  }
}

/**
 * Cuts off the bodies that `isOver` names below an index. Their hashes stay, so every proof stays.
 *
 * @returns the log as it is now, and how many bodies went.
 */
export async function cutBodies(
  { dir }: LogPlace,
  log: OpenLog,
  { below, isOver }: { below: number; isOver: (entry: Buffer) => boolean },
): Promise<{ log: OpenLog; bodies: number }> {
  let bodies = 0;
  let { bundle } = log;
  for (let index = 0; index * TILE_HASHES < Math.min(below, log.edge.size); index += 1) {
    const width = Math.min(TILE_HASHES, log.edge.size - index * TILE_HASHES);
    const path = tilePath({ level: 'entries', index, width });
    const bytes = await readIfThere(join(dir, path));
    const entries = bytes && decodeBundle(bytes, width);
    if (!entries) throw new Error(`the log lacks ${path}`);
    let gone = 0;
    const left = entries.map((entry, at) => {
      const over = entry.length > 0 && index * TILE_HASHES + at < below && isOver(entry);
      gone += over ? 1 : 0;
      return over ? CUT : entry;
    });
    if (gone === 0) continue;
    bodies += gone;
    await writeDurably(dir, [[path, encodeBundle(left)]]);
    if (width < TILE_HASHES) bundle = left;
  }
  return { log: { ...log, bundle }, bodies };
}
