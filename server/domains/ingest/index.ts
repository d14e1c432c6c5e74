/**
 * Ingest: how an event comes in, what is left of it, and when it is safe.
 *
 * What the policy does not declare is not stored, and is counted. An address lives in memory until
 * the country is known. Nothing is acknowledged before it is durable, and a retry changes nothing.
 * Everything else is a list that can be read: `pipeline`.
 */

export {
  applicationKeys,
  issueApplicationKey,
  type KeyDesk,
  revokeApplicationKey,
  type WantedKey,
} from './application-keys.ts';
export { ageMinimum } from './check-age.ts';
export { cleanText } from './classifiers.ts';
export { DROP_REASONS, type DropReason, FIELD_REASONS, type FieldReason } from './drops.ts';
export { enrichmentRoutes, listEnrichments, switchEnrichment } from './enrichments.ts';
export { ingestProblem } from './errors.ts';
export type { IngestHandler, Refused } from './http.ts';
export type { InboxErasure } from './inbox-erasure.ts';
export { endLayouts } from './inbox-store.ts';
export type { Arrived, Batch } from './model.ts';
export { type Ingest, type IngestOptions, openIngest, type PipelineView } from './open.ts';
export { INGEST_OPERATIONS } from './operations.ts';
export { pipeline } from './pipeline.ts';
export { ENRICHMENTS, type Enrichment, type IngestPlan } from './plan.ts';
export type { ConsentPort, HiddenPort, KeysPort, LocationPort } from './ports.ts';
export { ruleIn } from './regions.ts';
export { forgetCounts, issueWriteKey, revokeWriteKey, revokeWriteKeys } from './store.ts';
export type { StuckUnit } from './store-stuck.ts';
export { type Retried, retryStuck, stuckUnits } from './stuck.ts';
export {
  admitKey,
  type KeyKind,
  keyInHeader,
  kindOf,
  SCOPES,
  type WriteKey,
  type WriteKeys,
} from './write-keys.ts';
