/**
 * What a person's entries in the keyring look like as bytes, so that a search of the disk can show
 * that they are gone. Numbers that were drawn at random, and nothing that opens anything: of a
 * wrapped key only its nonce is told.
 */
import type { Keyring } from './keyring.ts';
import type { Ask, Trace, Whoever } from './protocol.ts';

/** XAES-256-GCM puts its 24-byte nonce in front. */
const NONCE_BYTES = 24;

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

export function subjectTracesOf(keyring: Keyring) {
  function whois({ tenant, handles, at }: Ask<'whois'>): Whoever[] {
    return handles.map((text) => {
      const handle = Buffer.from(text, 'base64');
      const known = keyring.get<{ subject: Uint8Array }>(
        'select subject from handles where tenant = ? and handle = ?',
        ...[tenant, handle],
      );
      if (known) return { subject: Buffer.from(known.subject).toString('hex') };
      const stone = keyring.get<{ until: number }>(
        'select until from tombstones where tenant = ? and handle = ?',
        ...[tenant, handle],
      );
      return stone && stone.until > at ? 'erased' : 'unknown';
    });
  }

  function traces({ tenant, subjects }: Ask<'traces'>): Trace[] {
    return subjects.map((subject) => {
      const rows = keyring.all<{ handle: Uint8Array; keyId: Uint8Array; wrapped: Uint8Array }>(
        `select handle, key_id as "keyId", wrapped from subject_keys
         where tenant = ? and subject = ?`,
        ...[tenant, Buffer.from(subject, 'hex')],
      );
      return {
        subject,
        handles: rows.map(({ handle }) => base64(handle)),
        keyIds: rows.map(({ keyId }) => base64(keyId)),
        nonces: rows.map(({ wrapped }) => base64(wrapped.subarray(0, NONCE_BYTES))),
      };
    });
  }

  return { whois, traces };
}
