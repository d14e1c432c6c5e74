/** Ed25519 public keys as their 32 bytes, which is how notes, JWKs and files carry them. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

export const PUBLIC_KEY_BYTES = 32;

/** RFC 8410: an Ed25519 public key in SubjectPublicKeyInfo is this, then its 32 bytes. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * What signs for this installation. The private key is in another process, for good.
 *
 * Whoever signs puts the kind of what is signed first (`troth/…`, or the origin of a log), so that
 * a signature of one kind can never be shown as one of another.
 */
export type Signer = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** RFC 7638 thumbprint of the public key, base64url. */
  readonly keyId: string;
  /** @returns 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
};

export type PublicJwk = { kty: 'OKP'; crv: 'Ed25519'; x: string };

export const jwkOf = (publicKey: Uint8Array): PublicJwk => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(publicKey).toString('base64url'),
});

/** @see RFC 7638, with the members that RFC 8037 section 2 requires of an OKP key. */
export function keyIdOf(publicKey: Uint8Array): string {
  const { crv, kty, x } = jwkOf(publicKey);
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
}

/** @throws RangeError when it is not 32 bytes. */
export function publicKeyObject(publicKey: Uint8Array): KeyObject {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError('a public key has 32 bytes');
  const key = Buffer.concat([SPKI_ED25519, publicKey]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

/** False also for a key or a signature of the wrong length: never throws. */
export function verifySignature(
  publicKey: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== 64) return false;
  try {
    return verify(null, bytes, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}
