/** The names of canaries: as random as anybody's, and found again by who knows the seed. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Canary } from '#core/looking';

export const SEED_BYTES = 32;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const MARKER_LETTERS = 20;

const letters = (count: number) =>
  Array.from(randomBytes(count), (byte) => LETTERS[byte % LETTERS.length]).join('');

/** A name in the form of a UUID of version 4, which is how clients name their visitors. */
function nameOf(seed: Buffer, kind: 'user' | 'anonymous', at: number): string {
  const bytes = createHmac('sha256', seed).update(`${kind} ${at}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Both names of one canary. */
export const namesOf = (seed: Buffer, at: number) => ({
  userId: nameOf(seed, 'user', at),
  anonymousId: nameOf(seed, 'anonymous', at),
});

/** The canaries of one service in one round. */
export type People = {
  readonly seed: Buffer;
  next(): Canary;
  /** How many there are so far. */
  count(): number;
};

export function peopleFrom(seed: Buffer): People {
  let count = 0;
  return {
    seed,
    next: () => ({ ...namesOf(seed, count++), marker: letters(MARKER_LETTERS) }),
    count: () => count,
  };
}
