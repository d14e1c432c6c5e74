/**
 * Evidence: what can be said about each promise, and what was looked at before saying it.
 *
 * A promise is kept, broken, attested or a gap. Proofs run in a process of their own, from outside,
 * at start, on a schedule, after a change of policy and when asked; what one could not look at is a
 * gap that says why. Nothing here is ever derived from what the product intends to do.
 */
export { type Forgetting, forgetCanaries } from './canary-forgetting.ts';
export { areCanaries, canariesAmong, readCanaries } from './canary-store.ts';
export { openDataMap } from './data-map.ts';
export { type Evidence, openEvidence, type Round, type Turned } from './evidence.ts';
export {
  dropVerificationKey,
  noteVerificationKey,
  readVerificationKeys,
  sweepDays,
} from './findings-store.ts';
export { openGround } from './ground.ts';
export { type Logged, readLogged } from './logged.ts';
export type {
  Counted,
  DataMap,
  PromiseAnswers,
  RowCounter,
  ServiceInForce,
  ServicesInForce,
} from './model.ts';
export type { Outlook, Wanted } from './outlook.ts';
export {
  droppedOf,
  openPipelineWatch,
  type PipelineCounters,
  type PipelineSnapshot,
  type PipelineView,
  type PipelineWatch,
} from './pipeline.ts';
export { type Catalogue, type Known, openPromises } from './promises.ts';
export { couldNotLook, type Finding, prove, proveOne, type Unit, unitsOf } from './prover.ts';
export { proveInProcess, runProver } from './prover-process.ts';
export {
  openReports,
  REPORT_KIND,
  type Report,
  type ReportRow,
  reportComplaints,
} from './report.ts';
export { eventRowCounter } from './store.ts';
