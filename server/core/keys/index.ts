/**
 * Keys: what a person's data are sealed under, opened for a minute and forgotten.
 *
 * A handle becomes a blind index here and an opaque id in the keeper; neither leaves in clear. A
 * sealed value opens in the place it was sealed for and nowhere else. When a key is destroyed,
 * every server has dropped it before the destruction is answered.
 */

export type { Signer } from '#base/ed25519';
export {
  type KeysStatus,
  keysRotate,
  keysStatus,
  ROTATE_AFTER_DAYS,
  ROTATE_BEFORE_DAYS,
  recoveryKit,
} from './commands.ts';
export { keysProblem } from './errors.ts';
export { FIELD_OVERHEAD_BYTES, openField, sealField } from './fields.ts';
export { type Handle, NOBODY, type OpenKey, type SealPlace, type SubjectKey } from './model.ts';
export { CACHE_LIFE_MS, type Forgotten, type Keys, type KeysOptions, openKeys } from './open.ts';
export { personalOf } from './personal.ts';
export { openSigner } from './signer.ts';
export { destroyTenantKeys, tenantCensus } from './tenant-end.ts';
export type { Halves } from './tenant-keys.ts';
export { checkEndToEnd, VaultKey } from './vault.ts';
