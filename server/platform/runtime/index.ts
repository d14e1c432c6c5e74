/**
 * Child processes and the directories they live in.
 *
 * A child dies with its parent, is started again when it dies alone, and is asked to end before it
 * is made to. Two servers never own one data directory, and data never starts without its keys.
 */

export {
  checkInstance,
  DATA_VERSION,
  type DataDirectory,
  holdDataDirectory,
  openDataDirectory,
} from './data-directory.ts';
export { childEnvironment, deathRope, nodeEnvironment, type Rope } from './death-rope.ts';
export { runtimeProblem } from './errors.ts';
export { stopOrphans } from './orphans.ts';
export { checkPort, freePort } from './ports.ts';
export { canReach, findServiceUser, type ServiceUser } from './service-user.ts';
export {
  openRuntimeDirectory,
  type RuntimeDirectory,
  shortDirectory,
} from './short-directory.ts';
export { type Supervised, type Supervision, supervise } from './supervise.ts';
