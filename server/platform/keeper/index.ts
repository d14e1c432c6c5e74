/**
 * The keeper: a process of its own that alone holds the keys above people's keys, and the map from
 * a person to their opaque id.
 *
 * A new key is durable in each copy of the keyring before it is handed out. A destroyed one is in
 * no file, and every connected server has dropped it, before the destruction is answered. A keyring
 * is never made anew for data that has one.
 */
export { type Keeper, openKeeper } from './client.ts';
export { keeperProblem } from './errors.ts';
export { readInstance } from './keyring-file.ts';
export {
  type Answer,
  type Ask,
  type Census,
  type Destroyed,
  type Evict,
  type KeeperStatus,
  type Missing,
  type Named,
  type NamedKey,
  type OpenedKey,
  SEALS_MAX,
  type Trace,
  type Whoever,
} from './protocol.ts';
export { printKit, type Restored, readKit, restoreKeyring } from './recovery.ts';
export { type KeeperOptions, startKeeper } from './start.ts';
