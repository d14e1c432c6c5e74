import type { Readable } from 'node:stream';
import { blobsProblem } from './errors.ts';

/** Whole, or piece by piece: an export may be larger than the memory. */
export type BlobBody = Uint8Array | AsyncIterable<Uint8Array>;

export type Blobs = {
  /**
   * Resolves when the bytes are durable. An object that exists is replaced, whole or not at all; a
   * body that fails half-way leaves nothing.
   */
  put(key: string, body: BlobBody): Promise<void>;
  get(key: string): Promise<Buffer | undefined>;
  /** The same bytes piece by piece; whoever asks reads it to its end or destroys it. */
  read(key: string): Promise<Readable | undefined>;
  /** Size in bytes; undefined when there is no such object. */
  size(key: string): Promise<number | undefined>;
  /** Keys that begin with `prefix`, in order. */
  list(prefix: string): AsyncIterable<string>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
};

const KEY_CHARACTERS_MAX = 512;
// A segment starts with a letter or digit, so that `.` and `..` cannot be written.
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** @throws Problem object-key-refused. */
export function checkKey(key: string): string {
  const segments = key.split('/');
  if (key.length > KEY_CHARACTERS_MAX || !segments.every((segment) => SEGMENT.test(segment))) {
    throw blobsProblem(
      'object-key-refused',
      'a key is words of letters, digits, . _ - with / between',
    );
  }
  return key;
}

/** @throws Problem object-key-refused. */
export function checkPrefix(prefix: string): string {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** A store that sees one tenant's objects only. @param prefix  ends with a slash. */
export function scopedBlobs(blobs: Blobs, prefix: string): Blobs {
  checkPrefix(prefix);
  if (!prefix.endsWith('/')) throw blobsProblem('object-key-refused', 'a prefix ends with a slash');
  const inside = (key: string) => `${prefix}${checkKey(key)}`;
  return {
    put: (key, body) => blobs.put(inside(key), body),
    get: (key) => blobs.get(inside(key)),
    read: (key) => blobs.read(inside(key)),
    size: (key) => blobs.size(inside(key)),
    remove: (key) => blobs.remove(inside(key)),
    async *list(within) {
      for await (const key of blobs.list(`${prefix}${checkPrefix(within)}`)) {
        yield key.slice(prefix.length);
      }
    },
  };
}
