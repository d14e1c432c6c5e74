/**
 * The policy language: a document that says what a service holds, why, and for how long, and the
 * tools that read it, find what cannot be true in it, compare it and print it.
 *
 * Pure: no files, no clock, no network, so that it gives the same answer in the server, in a
 * browser and in continuous integration. Reading never throws, however hostile the text.
 */

export {
  type Change,
  diffPolicies,
  type PlanFacts,
  type PolicyDiff,
  type PolicyPlan,
  planChange,
  rowsToCount,
  type Step,
} from '#compare';
export { controlCatalogue } from '#controls';
export { type FirstPolicy, firstPolicy, firstPolicyComplaint, type Kept } from '#first-policy';
export { STRIP_CLASSES } from '#grammar';
export { codes, type FindingCode, lint } from '#lint';
export {
  escapeHtml,
  type PromiseState,
  type RenderOptions,
  renderPolicy,
  type Standing,
} from '#render';
export { bases, categories, fallsUnder, isPersonal, rights, uses } from '#vocabulary';
export { canonicalJson, sha256 } from './canonical.ts';
export { categoryLimits, compile, documentOf, policyHash } from './compile.ts';
export type { ControlCatalogue, ControlEntry, Probe } from './control-type.ts';
export { PolicyDocument } from './document.ts';
export { type Duration, durationInWords, parseDuration, tryDuration } from './duration.ts';
export { type Explanation, explainPromise } from './explain.ts';
export { blocksApply, type Finding, printFinding, type Severity } from './finding.ts';
export type {
  Compiled,
  CompiledData,
  CompiledField,
  CompiledPurpose,
  FieldType,
  Policy,
  Sealing,
} from './policy.ts';
export { valueAt } from './policy.ts';
export { readPolicy, sourceOf, TEXT_LENGTH_MAX } from './read.ts';
export { type Limit, limitInWords, limitOf, shortest, type Tiers, tiersOf } from './retention.ts';
export { policySchema } from './schema.ts';
export { type Unfilled, unfilledIn } from './unfilled.ts';
