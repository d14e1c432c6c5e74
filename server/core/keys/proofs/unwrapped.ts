/** Opens what the keyring holds with the root that lies beside it, apart from the keeper. */
import { xaesKey } from '#base/xaes';

export type Kek = { readonly tenant: string; readonly epoch: number; readonly wrapped: Uint8Array };

/** @returns `undefined` where the key, or what it is bound to, is another. */
export function unwrapped(key: Uint8Array, sealed: Uint8Array, bound: string): Buffer | undefined {
  try {
    return xaesKey(key).open(sealed, Buffer.from(bound));
  } catch {
    return undefined;
  }
}

/** The key of a service that wraps its living keys. */
export const openKek = (root: Uint8Array, { tenant, epoch, wrapped }: Kek) =>
  unwrapped(root, wrapped, `troth/v1/kek|${tenant}|${epoch}|${epoch}`);
