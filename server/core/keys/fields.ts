/**
 * Sealed fields: AES-256-GCM under the person's key.
 *
 * Frame: version(1) | key id(8) | nonce(12) | ciphertext | tag(16). The associated data binds
 * tenant, table, column, subject, schema revision, key id and row: a ciphertext moved to any other
 * place does not open. GCM does not commit to its key, hence the key id in the associated data.
 *
 * Random 96-bit nonces are safe for 2^32 messages a key (NIST SP 800-38D 8.3); type and period keys
 * roll their version at 2^28, and no person writes that many events.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { keysProblem } from './errors.ts';
import type { OpenKey, SealPlace } from './model.ts';

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;
export const FIELD_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES;

// One call for 512 nonces: a call for each costs a quarter of the seal. Each is used once.
const pool = Buffer.alloc(512 * NONCE_BYTES);
let used = pool.length;
/** A view into the pool: good until the pool is filled again, so copy it at once. */
function nextNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += NONCE_BYTES;
  return pool.subarray(used - NONCE_BYTES, used);
}

/** The row stands last: it is the only part whose alphabet is open. */
function aadOf(place: SealPlace, keyId: Buffer): Buffer {
  const { tenant, table, column = 'sealed', subject, revision, row } = place;
  const id = keyId.toString('hex');
  return Buffer.from(
    `troth/v1/field|${tenant}|${table}|${column}|${subject ?? ''}|${revision}|${id}|${row}`,
  );
}

/** Seals one value; the result is `FIELD_OVERHEAD_BYTES` longer. */
export function sealField(key: OpenKey, plaintext: Buffer, place: SealPlace): Buffer {
  const frame = Buffer.allocUnsafe(FIELD_OVERHEAD_BYTES + plaintext.length);
  const nonce = nextNonce();
  frame[0] = VERSION;
  frame.set(key.keyId, 1);
  frame.set(nonce, 1 + KEY_ID_BYTES);
  const gcm = createCipheriv('aes-256-gcm', key.key, nonce);
  gcm.setAAD(aadOf(place, key.keyId));
  frame.set(gcm.update(plaintext), HEAD_BYTES);
  gcm.final();
  frame.set(gcm.getAuthTag(), HEAD_BYTES + plaintext.length);
  return frame;
}

/** The id of the key a frame was sealed under. @throws Problem sealed-text-invalid. */
export function keyIdOf(frame: Buffer): Buffer {
  if (frame.length < FIELD_OVERHEAD_BYTES || frame[0] !== VERSION) {
    throw keysProblem('sealed-text-invalid', 'it is no frame of a sealed field');
  }
  return frame.subarray(1, 1 + KEY_ID_BYTES);
}

/**
 * Opens one value. A frame of the vault, or one that a client sealed, is refused here whatever the
 * key.
 *
 * @throws Problem sealed-text-invalid: another key, another place, or a changed byte.
 */
export function openField(key: OpenKey, frame: Buffer, place: SealPlace): Buffer {
  if (!keyIdOf(frame).equals(key.keyId)) {
    throw keysProblem('sealed-text-invalid', 'it was sealed under another key');
  }
  const nonce = frame.subarray(1 + KEY_ID_BYTES, HEAD_BYTES);
  const tagAt = frame.length - TAG_BYTES;
  const gcm = createDecipheriv('aes-256-gcm', key.key, nonce, { authTagLength: TAG_BYTES });
  gcm.setAAD(aadOf(place, key.keyId));
  gcm.setAuthTag(frame.subarray(tagAt));
  try {
    return Buffer.concat([gcm.update(frame.subarray(HEAD_BYTES, tagAt)), gcm.final()]);
  } catch {
    throw keysProblem('sealed-text-invalid', 'it does not belong to this place, or was changed');
  }
}
