/**
 * Removal: a service is taken out of a running installation, for good.
 *
 * It is out of force and its write keys are revoked before anything else; then it is in the forget
 * journal, its keys are destroyed in both copies of the keyring, and what the engines hold of it is
 * dropped. Each step may be repeated, and what a crash cut off is finished at the next start. A
 * database that was restored to a time before is told again.
 *
 * What stays is said before: the audit log, closed with the outcome and verifiable as ever, the
 * texts that were in force, and the record of the removal with its counts.
 */
export { removalProblem } from './errors.ts';
export type { Outlook, Removal, Step } from './model.ts';
export { finishRemovals, outlookOn, type RemovalDeps, removeTenant } from './removals.ts';
export { readRemovals } from './store.ts';
