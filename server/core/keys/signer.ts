import { keyIdOf, type Signer } from '#base/ed25519';
import type { Keeper } from '#platform/keeper';

/** The installation's one key. */
const NAME = 'instance';

/**
 * Opens what signs checkpoints, certificates and reports: one Ed25519 key an installation, made by
 * the keeper and never handed out.
 *
 * @throws Problem keeper-unavailable.
 */
export async function openSigner(keeper: Keeper): Promise<Signer> {
  const known = await keeper.call('publicKey', { name: NAME });
  const publicKey = Buffer.from(known.publicKey, 'base64');
  return {
    publicKey,
    keyId: keyIdOf(publicKey),
    async sign(bytes) {
      const ask = { name: NAME, bytes: Buffer.from(bytes).toString('base64') };
      const { signature } = await keeper.call('sign', ask);
      return Buffer.from(signature, 'base64');
    },
  };
}
