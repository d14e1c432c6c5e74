import { createDecipheriv } from 'node:crypto';

/** version(1) | key id(8) | nonce(12) | ciphertext | tag(16): what lies in the column `sealed`. */
const VERSION = 1;
const HEAD_BYTES = 21;
const TAG_BYTES = 16;
/** Key id and nonce: no two frames have both in common, and nothing else has them by chance. */
export const nameOf = (frame: Buffer): Buffer => frame.subarray(1, HEAD_BYTES);

/** Where a frame lies; it is bound to all of it. */
export type Place = {
  readonly tenant: string;
  readonly table: string;
  readonly subject: string;
  readonly revision: number;
  /** 16 hexadecimal digits. */
  readonly row: string;
};

/**
 * Opens a frame as AES-256-GCM, apart from the code that sealed it.
 *
 * @param key  32 bytes; any other length is not AES-256.
 * @returns `undefined` where key, place or a single bit is not what it was sealed with.
 */
export function openAsAes256Gcm(key: Buffer, frame: Buffer, place: Place): Buffer | undefined {
  if (frame[0] !== VERSION || frame.length < HEAD_BYTES + TAG_BYTES) return undefined;
  const { tenant, table, subject, revision, row } = place;
  const keyId = frame.toString('hex', 1, 9);
  const bound = `troth/v1/field|${tenant}|${table}|sealed|${subject}|${revision}|${keyId}|${row}`;
  try {
    const gcm = createDecipheriv('aes-256-gcm', key, frame.subarray(9, HEAD_BYTES));
    gcm.setAAD(Buffer.from(bound));
    gcm.setAuthTag(frame.subarray(-TAG_BYTES));
    return Buffer.concat([gcm.update(frame.subarray(HEAD_BYTES, -TAG_BYTES)), gcm.final()]);
  } catch {
    return undefined;
  }
}

/** The frame with one bit turned. @param at  a byte; from the end where it is negative. */
export function flipped(frame: Buffer, at: number): Buffer {
  const copy = Buffer.from(frame);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** One bit of the nonce, of the ciphertext and of the tag. */
export const flips = (frame: Buffer): Buffer[] =>
  [9, HEAD_BYTES, -1].map((at) => flipped(frame, at));
