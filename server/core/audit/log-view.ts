/** What may be read of a log while it grows: its checkpoint, its tiles, entries with their proofs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TenantId } from '#base/ids';
import { parseCheckpoint } from '#base/signed-note';
import {
  CHECKPOINT,
  type LogReader,
  openLogReader,
  readTile,
  type Tile,
  widthIn,
} from '#platform/tiles';
import { logFolder } from './log-place.ts';

export type ProvenEntry = {
  readonly index: number;
  /** Base64, as `proof`. */
  readonly leafHash: string;
  /** RFC 6962 audit path to the root of the checkpoint that is answered with it. */
  readonly proof: readonly string[];
  /** The bytes that were hashed, as text: canonical JSON. Null once the body was cut off. */
  readonly leaf: string | null;
};

export type TenantLog = {
  /** The signed checkpoint. */
  readonly note: string;
  readonly size: number;
  /** `undefined` for what the tree has not. */
  tile(tile: Tile): Buffer | undefined;
  /** Reads the tree of this checkpoint. Keep it for one answer only. */
  read(): LogReader;
  entries(after: number, limit: number): ProvenEntry[];
};

function readNote(dir: string): string | undefined {
  try {
    return readFileSync(join(dir, CHECKPOINT), 'utf8');
  } catch {
    // It has not begun, or cannot be read: health says which.
    return undefined;
  }
}

/** Looks at a tenant's log as it is now; `undefined` before its first entry. */
export function openTenantLog(auditDir: string, tenant: TenantId): TenantLog | undefined {
  const dir = logFolder(auditDir, tenant);
  const note = readNote(dir);
  const checkpoint = note && parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
  if (!note || !checkpoint) return undefined;
  const { size } = checkpoint;
  return {
    note,
    size,
    tile: (tile) => (tile.width <= widthIn(size, tile) ? readTile(dir, tile) : undefined),
    read: () => openLogReader(dir, size),
    entries(after, limit) {
      const reader = openLogReader(dir, size);
      const count = Math.max(0, Math.min(limit, size - after - 1));
      return Array.from({ length: count }, (_, at) => {
        const index = after + 1 + at;
        const leaf = reader.entry(index);
        return {
          index,
          leafHash: reader.leafHash(index).toString('base64'),
          proof: reader.inclusion(index).map((hash) => hash.toString('base64')),
          leaf: leaf.length > 0 ? leaf.toString('utf8') : null,
        };
      });
    },
  };
}
