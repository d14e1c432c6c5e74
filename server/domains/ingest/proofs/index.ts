/** What proves the promises that are kept at the event door. */
import type { Proof } from '#core/promises';
import { declaredFieldsOnly } from './declared-fields-only.ts';

export const ingestProofs: readonly Proof[] = [declaredFieldsOnly];
