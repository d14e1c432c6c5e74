/** What proves the promises about the page, its revisions, and why data is used. */
import type { Proof } from '#core/promises';
import { claimShowsEvidence } from './claim-shows-evidence.ts';
import { dateFromRevision } from './date-from-revision.ts';
import { practicesPublic } from './practices-public.ts';
import { renderedAsEnforced } from './rendered-as-enforced.ts';
import { statusMeasured } from './status-measured.ts';

export const policyProofs: readonly Proof[] = [
  claimShowsEvidence,
  dateFromRevision,
  practicesPublic,
  renderedAsEnforced,
  statusMeasured,
];
