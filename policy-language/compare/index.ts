/** Comparing revisions: what differs, what it would do, and whom it must be told to first. */
export type { Change } from './changes.ts';
export { diffPolicies, type PolicyDiff } from './diff.ts';
export { type PlanFacts, type PolicyPlan, planChange, rowsToCount } from './plan.ts';
export type { Section, Step } from './steps.ts';
