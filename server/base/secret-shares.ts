/**
 * Shamir's secret sharing over GF(2^8): any `threshold` of the shares give the secret back, fewer
 * say nothing about it (each byte's polynomial has random coefficients).
 *
 * @see Shamir, "How to share a secret", CACM 22(11), 1979. Field polynomial of AES (FIPS 197).
 */
import { randomBytes } from 'node:crypto';

/** `at` is the point, 1 to 255; `bytes` as long as the secret. */
export type Share = { at: number; bytes: Buffer };

function multiply(a: number, b: number): number {
  let product = 0;
  let left = a;
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= -((b >> bit) & 1) & left;
    left = ((left << 1) ^ (-(left >> 7) & 0x11b)) & 0xff;
  }
  return product;
}

/** a^254 is the inverse of a in GF(2^8). */
function inverse(a: number): number {
  let power = 1;
  for (let step = 0; step < 254; step += 1) power = multiply(power, a);
  return power;
}

/**
 * Splits a secret.
 *
 * @throws RangeError unless 2 ≤ threshold ≤ shares ≤ 255.
 */
export function splitSecret(secret: Uint8Array, shares: number, threshold: number): Share[] {
  if (threshold < 2 || threshold > shares || shares > 255) {
    throw new RangeError('needs 2 ≤ threshold ≤ shares ≤ 255');
  }
  const coefficients = Array.from({ length: threshold - 1 }, () => randomBytes(secret.length));
  return Array.from({ length: shares }, (_, index) => {
    const at = index + 1;
    const bytes = Buffer.alloc(secret.length);
    for (let position = 0; position < secret.length; position += 1) {
      let value = 0;
      for (const row of coefficients) value = multiply(value ^ (row[position] ?? 0), at);
      bytes[position] = value ^ (secret[position] ?? 0);
    }
    return { at, bytes };
  });
}

/**
 * Joins shares by interpolation at zero. Too few shares give another, random-looking value, so the
 * secret needs a checksum of its own.
 *
 * @throws RangeError when two shares stand at one point, or lengths differ.
 */
export function joinShares(shares: readonly Share[]): Buffer {
  const length = shares[0]?.bytes.length ?? 0;
  const points = new Set(shares.map(({ at }) => at));
  if (points.size !== shares.length || shares.some(({ bytes }) => bytes.length !== length)) {
    throw new RangeError('the shares do not belong together');
  }
  const secret = Buffer.alloc(length);
  for (const { at, bytes } of shares) {
    let weight = 1;
    for (const other of shares) {
      if (other.at !== at) weight = multiply(weight, multiply(other.at, inverse(other.at ^ at)));
    }
    for (let position = 0; position < length; position += 1) {
      secret[position] = (secret[position] ?? 0) ^ multiply(bytes[position] ?? 0, weight);
    }
  }
  return secret;
}
