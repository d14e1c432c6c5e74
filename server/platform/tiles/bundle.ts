/** Entry bundles: entries one after the other, each behind its length as a big-endian uint16. */

/** No entry may be longer. */
export const ENTRY_BYTES_MAX = 65_535;

/**
 * An entry of no bytes stands for one whose body was cut off when its time was over: its hash stays
 * in the tree.
 */
export const CUT = Buffer.alloc(0);

/** @throws RangeError for an entry that is too long. */
export function encodeBundle(entries: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError('an entry has at most 65,535 bytes');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(entry.length);
    parts.push(length, entry);
  }
  return Buffer.concat(parts);
}

/** `undefined` unless the bytes are exactly `count` entries. */
export function decodeBundle(bytes: Buffer, count: number): Buffer[] | undefined {
  const entries: Buffer[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + 2 > bytes.length) return undefined;
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return at === bytes.length ? entries : undefined;
}

/** The first `count` entries of a wider bundle, as bytes. */
export function cutBundle(bytes: Buffer, count: number): Buffer | undefined {
  let at = 0;
  for (let entry = 0; entry < count; entry += 1) {
    if (at + 2 > bytes.length) return undefined;
    at += 2 + bytes.readUInt16BE(at);
  }
  return at <= bytes.length ? bytes.subarray(0, at) : undefined;
}
