/**
 * Keys that sign, and that no server ever holds: made, kept and used here. They are wrapped like
 * named keys, in the same table, so that rotation and recovery carry them along.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from 'node:crypto';
import { keeperProblem } from './errors.ts';
import type { Keks } from './keks.ts';
import { type Keyring, NEW_KEY, needBothCopies } from './keyring.ts';
import { namedAad, SIGNING_TENANT } from './named-keys.ts';
import type { Ask } from './protocol.ts';

/** RFC 8410: an Ed25519 private key in PKCS #8 is this, then its 32 bytes. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const NAME = /^[a-z][a-z-]{1,40}$/;

type Row = { epoch: number; wrapped: Uint8Array };

export type SigningKeys = ReturnType<typeof signingKeysOf>;

/** Every function runs inside `commit`. `at` dates the keys that this run makes. */
export function signingKeysOf(keyring: Keyring, keks: Keks, at: number) {
  const kek = (aad: string) => ({ tenant: SIGNING_TENANT, purpose: 'live' as const, aad });

  function make(name: string, aad: string): Buffer {
    needBothCopies(keyring, NEW_KEY);
    const seed = randomBytes(32);
    keyring.run(
      `insert into named_keys
         (tenant, name, version, class, key_id, epoch, wrapped, seals, destroy_at, created_at)
       values (?, ?, 1, 'signing', ?, ?, ?, 0, null, ?)`,
      ...[SIGNING_TENANT, name, randomBytes(8), keks.epoch, keks.wrap(kek(aad), seed), at],
    );
    return seed;
  }

  function open(name: string): KeyObject {
    if (!NAME.test(name)) throw keeperProblem('keyring-call-invalid', 'not the name of a key');
    const aad = namedAad(SIGNING_TENANT, name, 1);
    const row = keyring.get<Row>(
      'select epoch, wrapped from named_keys where tenant = ? and name = ? and version = 1',
      ...[SIGNING_TENANT, name],
    );
    const seed = row
      ? keks.unwrap({ ...kek(aad), epoch: row.epoch }, row.wrapped)
      : make(name, aad);
    const der = Buffer.concat([PKCS8_ED25519, seed]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    seed.fill(0);
    der.fill(0);
    return key;
  }

  const publicOf = (key: KeyObject) =>
    createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');

  return {
    publicKey: ({ name }: Ask<'publicKey'>) => ({ publicKey: publicOf(open(name)) }),
    sign({ name, bytes }: Ask<'sign'>) {
      const key = open(name);
      const signature = signBytes(null, Buffer.from(bytes, 'base64'), key);
      return { signature: signature.toString('base64'), publicKey: publicOf(key) };
    },
  };
}
