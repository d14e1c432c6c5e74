/**
 * The policies in force, how one comes into force, and who may do what under it.
 *
 * A document with open errors is never applied, and what it would have replaced stays. Every act
 * that writes needs a permit, and only `authorize` makes one.
 */
export { ACTIONS, type Action, type ActorKind, isPrivileged } from './actions.ts';
export {
  type Applied,
  applyPolicy,
  finishApplies,
  judgePolicy,
  openErrors,
  type PolicyDraft,
  readDraft,
} from './apply.ts';
export { type Actor, authorize, type Permit, type PermitContext } from './authorize.ts';
export { policyProblem } from './errors.ts';
export { openPolicies, type Policies, type PolicyInForce } from './in-force.ts';
export { reasonOf } from './reason.ts';
export { reconcilePurposes } from './reconcile.ts';
export {
  endPolicy,
  listRevisions,
  type Revision,
  type RevisionText,
  readInForce,
  readRevision,
} from './store.ts';
