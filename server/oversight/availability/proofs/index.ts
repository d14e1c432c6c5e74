/** What proves that the published availability is the measured one. */
import type { Proof } from '#core/promises';
import { availability } from './availability.ts';

export const availabilityProofs: readonly Proof[] = [availability];
