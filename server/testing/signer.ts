import { generateKeyPairSync, sign } from 'node:crypto';
import { keyIdOf, type Signer } from '#base/ed25519';

/** A signer with a key of its own, in this process. */
export function testSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey: raw,
    keyId: keyIdOf(raw),
    sign: async (bytes) => sign(null, bytes, privateKey),
  };
}
