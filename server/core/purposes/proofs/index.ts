/** What proves that data is read for its purposes and no others. */
import type { Proof } from '#core/promises';
import { basis } from './basis.ts';
import { boundReads } from './bound-reads.ts';
import { holdsOnly } from './holds-only.ts';
import { journeysConsented } from './journeys-consented.ts';
import { leastGrants } from './least-grants.ts';
import { stated } from './stated.ts';

export const purposeProofs: readonly Proof[] = [
  ...[basis, boundReads, holdsOnly, journeysConsented],
  ...[leastGrants, stated],
];
