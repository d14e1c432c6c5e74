/**
 * Availability: asked for over the service's own socket, minute by minute, and published as it was
 * measured. A minute in which nobody was there to ask counts as one in which nobody answered.
 */
export { type Availability, openAvailability, type Published } from './availability.ts';
