/**
 * Purposes: why data is read.
 *
 * A reading of events states a purpose that the policy declares. It is carried out under a login
 * that this purpose alone has, so what is not for it is hidden by the event store itself.
 */
export { purposeProblem } from './errors.ts';
export type { ReadRow } from './journeys.ts';
export { type Reading, type ReadingNeeds, readEvents } from './read-events.ts';
export { type People, purposeStated, shownRows, withinTime } from './shown-rows.ts';
