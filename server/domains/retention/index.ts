/**
 * Retention: nothing is older than the policy says.
 *
 * A sweep takes each row before its limit, by a margin that a late or failed sweep does not use up;
 * the engine's own expiry is a belt beside it. Data with tiers moves to an archive first, which is
 * read for a stated purpose only and on record. A customer may choose another life within what the
 * policy offers. Every pass leaves a record: what, when, up to where, and how old the oldest is.
 */
import type { Domain } from '#core/domain';

export { ClockGuard } from './clock-guard.ts';
export type { AgedStore, Chore, RetentionDeps, Step as SweepStep } from './deps.ts';
export { retentionProblem } from './errors.ts';
export { type AgedRow, type Backdated, importBackdated } from './import.ts';
export {
  type Choice,
  cutoffOf,
  type Limits,
  marginMs,
  type RuleIn,
  sweepEveryMs,
} from './limits.ts';
export { openRetention, type Retention, type Standing } from './open.ts';
export { type RetentionRoutesDeps, retentionRoutes } from './routes.ts';
export type { Sweep } from './store.ts';
export type { Age } from './store-events.ts';
export type { Swept } from './sweep.ts';

/** Without its routes: they need what only the wiring has, and are made by `retentionRoutes`. */
export const retentionDomain = {
  name: 'retention',
  tables: ['sweeps', 'retention_choices'],
  personalData: {},
  controls: [],
  jobs: [],
} satisfies Domain;
