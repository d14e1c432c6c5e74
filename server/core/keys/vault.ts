/**
 * The two stronger classes of sealing.
 *
 * *Vault*: the server may open it for one act, with a permit for that act, and nobody may read it.
 * XAES-256-GCM, since one key sees many secrets over years, with a commitment to the key, since GCM
 * has none. *End-to-end*: the client seals; the server refuses it in clear and can never open it.
 */
import { hkdfSync, timingSafeEqual } from 'node:crypto';
import { type XaesKey, xaesKey } from '#base/xaes';
import type { Permit } from '#core/policy';
import { keysProblem } from './errors.ts';
import type { SealPlace } from './model.ts';

const VERSION = 2;
const KEY_ID_BYTES = 8;
const COMMITMENT_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + COMMITMENT_BYTES;

function aadOf(place: SealPlace): Buffer {
  const { tenant, table, column = 'secret', row, subject, revision } = place;
  return Buffer.from(
    `troth/v1/vault|${tenant}|${table}|${column}|${subject ?? ''}|${revision}|${row}`,
  );
}

/** A key of the vault. What it holds cannot be taken out of it, and it opens for a permit only. */
export class VaultKey {
  readonly #key: XaesKey;
  readonly #keyId: Buffer;
  readonly #commitment: Buffer;

  constructor(raw: Buffer, keyId: Buffer) {
    const derive = (label: string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', raw, keyId, `troth/v1/vault/${label}`, bytes));
    this.#key = xaesKey(derive('seal', 32));
    this.#commitment = derive('commitment', COMMITMENT_BYTES);
    this.#keyId = keyId;
    raw.fill(0);
  }

  seal(plaintext: Buffer, place: SealPlace): Buffer {
    const head = Buffer.concat([Buffer.of(VERSION), this.#keyId, this.#commitment]);
    return Buffer.concat([head, this.#key.seal(plaintext, Buffer.concat([head, aadOf(place)]))]);
  }

  /**
   * Opens a secret for the act that the permit is for.
   *
   * @throws Problem sealed-text-invalid: another tenant's permit, key, place, or a changed byte.
   */
  open(permit: Permit<'vault.open'>, frame: Buffer, place: SealPlace): Buffer {
    const head = frame.subarray(0, HEAD_BYTES);
    const ours = Buffer.concat([Buffer.of(VERSION), this.#keyId, this.#commitment]);
    const allowed = permit.action === 'vault.open' && permit.tenant === place.tenant;
    if (!allowed || head.length !== HEAD_BYTES || !timingSafeEqual(head, ours)) {
      throw keysProblem('sealed-text-invalid', 'it is not a secret of this vault');
    }
    try {
      return this.#key.open(frame.subarray(HEAD_BYTES), Buffer.concat([head, aadOf(place)]));
    } catch {
      throw keysProblem('sealed-text-invalid', 'it does not belong to this place, or was changed');
    }
  }
}

const PART = /^[A-Za-z0-9_-]*$/;
const CONTENT_CIPHERS = new Set(['A256GCM', 'A192GCM', 'A128GCM', 'XC20P', 'A256CBC-HS512']);

/**
 * Lets a value of the end-to-end class pass only when a client has sealed it: JWE, compact form.
 *
 * @throws Problem end-to-end-in-clear. Whether it opens, nobody here can tell.
 * @see RFC 7516 sections 3.1 and 7.1.
 */
export function checkEndToEnd(value: unknown): string {
  const parts = typeof value === 'string' ? value.split('.') : [];
  const [header = '', , nonce = '', ciphertext = '', tag = ''] = parts;
  if (parts.length === 5 && parts.every((part) => PART.test(part)) && nonce && ciphertext && tag) {
    try {
      const { alg, enc } = JSON.parse(Buffer.from(header, 'base64url').toString()) as {
        alg?: unknown;
        enc?: unknown;
      };
      const sealed = typeof alg === 'string' && alg !== 'none';
      if (sealed && typeof enc === 'string' && CONTENT_CIPHERS.has(enc)) return value as string;
    } catch {
      // Not a header: refused below like everything else that is in clear.
    }
  }
  throw keysProblem('end-to-end-in-clear', 'send it as a JWE in compact form');
}
