import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Matcher, matcherOf } from './matcher.ts';

/** Where the bytes of each store lie: directories or files, by the store's name. */
export type Roots = Readonly<Record<string, readonly string[]>>;

export type Hit = { readonly pattern: number; readonly file: string; readonly at: number };

/** What was seen in one store. */
export type StoreScan = {
  readonly store: string;
  /** Files read to their end, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Files of an earlier pass that have not changed since; not read again. */
  readonly unchanged: number;
  /** Files that are there and could not be read. Not empty: the store was not searched whole. */
  readonly unreadable: readonly string[];
  /** No root of it exists: there is nothing to search, or it is somewhere else. */
  readonly missing: boolean;
  readonly seconds: number;
  /** Per pattern at most `HITS_MAX`; `counts` has them all. */
  readonly hits: readonly Hit[];
  /** Occurrences by pattern. */
  readonly counts: readonly number[];
};

export type ScanOptions = {
  /** Default: all. */
  readonly stores?: readonly string[];
  readonly signal?: AbortSignal;
  /**
   * What an earlier pass for the same patterns returned as `mark`: files of the same size and time
   * are not read again. Only for stores whose files do not change in place, or between full passes.
   */
  readonly since?: ReadonlyMap<string, string>;
};

export type ByteScan = {
  /**
   * Searches. Holds at most a megabyte of file at a time, and lets other work in between pieces.
   *
   * @throws RangeError for a pattern that is too short. @throws the signal's reason.
   */
  scan(
    patterns: readonly Uint8Array[],
    options?: ScanOptions,
  ): Promise<{ stores: StoreScan[]; mark: ReadonlyMap<string, string> }>;
};

const PIECE_BYTES = 1024 * 1024;
const HITS_MAX = 100;
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ESTALE']);

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** Every file below a place; a link is not followed, for it leads to what has a place of its own. */
async function* filesBelow(place: string, unreadable: string[]): AsyncGenerator<string> {
  try {
    for (const entry of await readdir(place, { withFileTypes: true })) {
      const path = join(place, entry.name);
      if (entry.isDirectory()) yield* filesBelow(path, unreadable);
      else if (entry.isFile()) yield path;
    }
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') yield place;
    else if (!GONE.has(codeOf(error))) unreadable.push(place);
  }
}

const isThere = (place: string) =>
  stat(place).then(
    () => true,
    (error: unknown) => !GONE.has(codeOf(error)),
  );

/** Prepares a search of these places; nothing is opened before the first one. */
export function openByteScan({ roots }: { roots: Roots }): ByteScan {
  return {
    async scan(patterns, { stores = Object.keys(roots), signal, since } = {}) {
      const matcher = matcherOf(patterns);
      const piece = Buffer.allocUnsafe(PIECE_BYTES + matcher.bytesMax);
      const mark = new Map<string, string>();
      const seen: StoreScan[] = [];
      for (const store of stores) {
        const pass = new StorePass(store, patterns.length, { matcher, piece, mark, since, signal });
        seen.push(await pass.run(roots[store] ?? []));
      }
      return { stores: seen, mark };
    },
  };
}

type Tools = {
  readonly matcher: Matcher;
  readonly piece: Buffer;
  readonly mark: Map<string, string>;
  readonly since: ReadonlyMap<string, string> | undefined;
  readonly signal: AbortSignal | undefined;
};

class StorePass {
  readonly #store: string;
  readonly #tools: Tools;
  readonly #counts: number[];
  readonly #hits: Hit[] = [];
  readonly #unreadable: string[] = [];
  #files = 0;
  #bytes = 0;
  #unchanged = 0;

  constructor(store: string, patterns: number, tools: Tools) {
    this.#store = store;
    this.#tools = tools;
    this.#counts = new Array<number>(patterns).fill(0);
  }

  async run(places: readonly string[]): Promise<StoreScan> {
    const began = performance.now();
    const there = await Promise.all(places.map(isThere));
    for (const place of places) {
      for await (const file of filesBelow(place, this.#unreadable)) await this.#read(file);
    }
    return {
      store: this.#store,
      files: this.#files,
      bytes: this.#bytes,
      unchanged: this.#unchanged,
      unreadable: this.#unreadable,
      missing: !there.includes(true),
      seconds: (performance.now() - began) / 1_000,
      hits: this.#hits,
      counts: this.#counts,
    };
  }

  async #read(file: string): Promise<void> {
    const { mark, since, signal } = this.#tools;
    signal?.throwIfAborted();
    let handle: FileHandle | undefined;
    try {
      const { size, mtimeMs, ino } = await stat(file);
      const state = `${ino} ${size} ${mtimeMs}`;
      mark.set(file, state);
      if (since?.get(file) === state) {
        this.#unchanged++;
        return;
      }
      // An empty file says nothing, and may be a lock of this very process, such as the data
      // directory's: closing any descriptor of it would let the lock go (POSIX).
      if (size > 0) {
        handle = await open(file, 'r');
        await this.#search(handle, file);
      }
      this.#files++;
    } catch (error) {
      signal?.throwIfAborted();
      if (!GONE.has(codeOf(error))) this.#unreadable.push(file);
    } finally {
      await handle?.close();
    }
  }

  /** Piece by piece; the end of one is kept in front of the next, so that no seam hides a match. */
  async #search(handle: FileHandle, file: string): Promise<void> {
    const { matcher, piece, signal } = this.#tools;
    const overlap = matcher.bytesMax - 1;
    let kept = 0;
    let position = 0;
    for (;;) {
      const { bytesRead } = await handle.read(piece, kept, PIECE_BYTES, position);
      if (bytesRead === 0) return;
      const filled = kept + bytesRead;
      const from = position - kept;
      matcher.find(piece.subarray(0, filled), ({ pattern, at }) => {
        // What lies in the kept part whole was found in the piece before.
        if (at + this.#lengthOf(pattern) > kept) this.#note({ pattern, file, at: from + at });
      });
      this.#bytes += bytesRead;
      position += bytesRead;
      kept = Math.min(overlap, filled);
      piece.copyWithin(0, filled - kept, filled);
      await setImmediate();
      signal?.throwIfAborted();
    }
  }

  #lengthOf(pattern: number): number {
    return this.#tools.matcher.lengths[pattern] ?? 0;
  }

  #note(hit: Hit): void {
    const count = (this.#counts[hit.pattern] ?? 0) + 1;
    this.#counts[hit.pattern] = count;
    if (count <= HITS_MAX) this.#hits.push(hit);
  }
}
