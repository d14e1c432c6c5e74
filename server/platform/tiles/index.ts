/**
 * Logs as folders of tiles: an append-only Merkle tree that any static file server could serve and
 * anyone can check (C2SP tlog-tiles, signed checkpoints).
 *
 * What is signed is on the disk before, whole. Only the widest partial tile is kept; narrower ones
 * are cut from it when asked for. A body may be cut off when its time is over; its hash never goes.
 */
export { CUT, decodeBundle, ENTRY_BYTES_MAX } from './bundle.ts';
export { type CheckedLog, type CheckOptions, checkLog, type LogFault } from './check.ts';
export { writeDurably } from './durable.ts';
export { rootOf } from './edge.ts';
export { levelsOf, parseTilePath, TILE_HASHES, type Tile, tilePath, widthIn } from './paths.ts';
export { CHECKPOINT, type LogReader, openLogReader, readIfThere, readTile } from './reading.ts';
export {
  appendEntries,
  cutBodies,
  isAsLeft,
  type LogPlace,
  logOf,
  newLog,
  type OpenLog,
  removeStrays,
} from './writing.ts';
