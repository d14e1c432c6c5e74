/**
 * Rights: what a person may demand. Built so far: erasure, with its holds and its certificate.
 *
 * A demand is durable, in the forget journal and out of every read path before it is answered. Each
 * store is emptied and counted again; then the disk is searched for the person's bytes, by a
 * search that must find a planted control in each store, or claims nothing of it. The certificate
 * says what was found, what was not looked at, and what stays as a number nobody can read.
 */
import type { Domain } from '#core/domain';

export { CERTIFICATE_KIND, type Certificate, certificateComplaints } from './certificate.ts';
export type { LateDemands, TellLate } from './deadlines.ts';
export type { ErasureDeps, Step } from './deps.ts';
export { rightsProblem } from './errors.ts';
export {
  type Erasure,
  type ErasureId,
  type ErasureState,
  type ErasureStore,
  LATE_DAYS,
  type LedgerRow,
  type Wanted,
} from './model.ts';
export { type ErasureView, openRights, type Rights } from './open.ts';
export type { Replayed } from './replay.ts';
export type { Asker } from './requests.ts';
export { type RightsRoutesDeps, rightsRoutes } from './routes.ts';
export type { Places } from './search.ts';
export { type EventsStore, eventsStore } from './store-events.ts';
export { type Hidden, openHidden } from './store-hidden.ts';
export type { Hold } from './store-holds.ts';
export { jobsStore } from './store-jobs.ts';
export { erasuresAge, sweepErasures } from './store-requests.ts';
export { tablesStore } from './store-tables.ts';

/** Without its routes: they need what only the wiring has, and are made by `rightsRoutes`. */
export const rightsDomain = {
  name: 'rights',
  tables: [
    'erasures',
    'erasure_subjects',
    'erasure_ledger',
    'holds',
    'hidden_subjects',
    'forget_replays',
    'forget_spared',
    'scan_controls',
  ],
  personalData: {},
  controls: [],
  jobs: [],
} satisfies Domain;
