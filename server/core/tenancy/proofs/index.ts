/** What proves that services never meet. */
import type { Proof } from '#core/promises';
import { noCrossing } from './no-crossing.ts';
import { ownEndpoint } from './own-endpoint.ts';
import { ownSchema } from './own-schema.ts';
import { rowSecurity } from './row-security.ts';

export const tenancyProofs: readonly Proof[] = [noCrossing, ownSchema, rowSecurity, ownEndpoint];
