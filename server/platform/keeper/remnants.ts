/**
 * What SQLite leaves behind: `secure_delete` zeroes a freed cell where it lies, but where a page was
 * rebuilt before, a copy of the cell may lie in the page's gap, which no deletion touches (measured:
 * 24 cells of 80, and the rest of the page full of what had been moved away).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const CHUNK_BYTES = 1_048_576;
/** More than these are not searched for one by one: the file is written anew at once. */
const SEARCHED_MAX = 64;

export type Remnants = {
  /** Writes the file anew where one of these still lies in it; `all`: without looking. */
  remove(secrets: readonly Uint8Array[] | 'all'): void;
  close(): void;
};

/** @param file  The path of what `db` has open. */
export function openRemnants(db: DatabaseSync, file: string): Remnants {
  // Kept open: closing any descriptor of a file drops the lock that SQLite has on it.
  const descriptor = openSync(file, 'r');
  return {
    remove(secrets) {
      const isMany = secrets === 'all' || secrets.length > SEARCHED_MAX;
      if (isMany || holdsAny(descriptor, secrets)) db.exec('vacuum');
    },
    close: () => closeSync(descriptor),
  };
}

function holdsAny(descriptor: number, secrets: readonly Uint8Array[]): boolean {
  if (secrets.length === 0) return false;
  const overlap = Math.max(...secrets.map(({ length }) => length));
  const chunk = Buffer.alloc(CHUNK_BYTES + overlap);
  for (let from = 0; ; from += CHUNK_BYTES) {
    const read = readSync(descriptor, chunk, 0, chunk.length, from);
    if (read === 0) return false;
    const seen = chunk.subarray(0, read);
    if (secrets.some((secret) => seen.indexOf(secret) >= 0)) return true;
  }
}
