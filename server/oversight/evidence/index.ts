/**
 * Evidence: what can be said about each promise, and what was looked at before saying it.
 *
 * A promise is kept, broken, attested or a gap. In this version no proof runs yet, so nothing is
 * kept and nothing is broken: each answer is a gap that says why. Nothing here is ever derived from
 * what the product intends to do.
 */
export { openDataMap } from './data-map.ts';
export type {
  Counted,
  DataMap,
  PromiseAnswers,
  RowCounter,
  ServiceInForce,
  ServicesInForce,
} from './model.ts';
export {
  droppedOf,
  openPipelineWatch,
  type PipelineCounters,
  type PipelineSnapshot,
  type PipelineView,
  type PipelineWatch,
} from './pipeline.ts';
export { type Catalogue, openPromises } from './promises.ts';
export { eventRowCounter } from './store.ts';
