/**
 * Looking: what a proof sees with, the `Look`, and what several proofs do with it in the same way.
 * They ask as a client of the service does, name places as the engines name them, and read the page
 * as a stranger does.
 *
 * Nothing here is code that a promise is kept by; `tidy` lets proofs import it.
 */
export {
  asClient,
  bearer,
  type Fields,
  holderOf,
  personalRow,
  readBack,
  typesByPerson,
  withFields,
} from './client.ts';
export { inEngine, placesOf, WORKING_TABLES } from './engine-names.ts';
export type {
  Ask,
  ByteLook,
  Canaries,
  Canary,
  Look,
  Page,
  PageOptions,
  PageRequest,
  StoredRow,
  Told,
} from './look.ts';
export {
  isPlaceholder,
  saysTheSame,
  secondsInDuration,
  secondsInWords,
  shownAt,
  unescaped,
} from './page-values.ts';
export { type Answered, type Moment, momentOf, readAt } from './reading.ts';
export { valueAt } from './value-at.ts';
