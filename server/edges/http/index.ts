/**
 * The HTTP edge: one origin for the API, the console and the pages that a policy must publish.
 *
 * It turns a Problem into an RFC 9457 answer, and anything else that is thrown into `internal` with
 * a request id and no message. Every answer carries the security headers; no answer carries the
 * text of an error, and no log line carries what a caller sent.
 */

export { type AppDeps, createApp } from './app.ts';
export { type AuditDeps, auditRoutes } from './audit-routes.ts';
export { availabilityRoutes } from './availability-routes.ts';
export { type Ailment, doctorRoutes } from './doctor-routes.ts';
export type { DomainRoutes } from './edge.ts';
export { httpProblem } from './errors.ts';
export { type EventDeps, eventRoutes } from './event-routes.ts';
export { type EvidenceDeps, evidenceRoutes } from './evidence-routes.ts';
export { inboxRoutes } from './inbox-routes.ts';
export { publicKeyRoutes } from './key-routes.ts';
export { type FastPath, type ListenerOptions, listen } from './listener.ts';
export { type Metric, metricsRoutes, type Sample } from './metrics-routes.ts';
export { type ExtraOperation, openApiOf } from './open-api.ts';
export { type Operator, type OperatorStore, openOperator, SESSION_SECONDS } from './operator.ts';
export {
  changedByOperator,
  type OperatorDeps,
  operatorAsking,
  operatorRoutes,
} from './operator-routes.ts';
export { removalRoutes } from './removal-routes.ts';
export { revisionRoutes } from './revision-routes.ts';
export { memoryOperatorStore, operatorStore, sweepOperatorTokens } from './store.ts';
export { type WriteKeyDeps, writeKeyRoutes } from './write-key-routes.ts';
