/** What proves the promises about sealing and about keys. */
import type { Proof } from '#core/promises';
import { apart } from './apart.ts';
import { atRest } from './at-rest.ts';
import { rotate } from './rotate.ts';
import { twoWraps } from './two-wraps.ts';

export const keyProofs: readonly Proof[] = [atRest, rotate, apart, twoWraps];
