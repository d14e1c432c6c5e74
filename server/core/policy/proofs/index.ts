/** What proves the promises about the page, its revisions, and why data is used. */
import type { Proof } from '#core/promises';
import { claimShowsEvidence } from './claim-shows-evidence.ts';
import { columnsMapped } from './columns-mapped.ts';
import { currentAtAddress } from './current-at-address.ts';
import { dateFromRevision } from './date-from-revision.ts';
import { documented } from './documented.ts';
import { forbidden } from './forbidden.ts';
import { historyKept } from './history-kept.ts';
import { noticePeriod } from './notice-period.ts';
import { peopleTold } from './people-told.ts';
import { practicesPublic } from './practices-public.ts';
import { renderedAsEnforced } from './rendered-as-enforced.ts';
import { revisionFirst } from './revision-first.ts';
import { revisionRecorded } from './revision-recorded.ts';
import { statusMeasured } from './status-measured.ts';

export const policyProofs: readonly Proof[] = [
  claimShowsEvidence,
  columnsMapped,
  currentAtAddress,
  dateFromRevision,
  documented,
  forbidden,
  historyKept,
  noticePeriod,
  peopleTold,
  practicesPublic,
  renderedAsEnforced,
  revisionFirst,
  revisionRecorded,
  statusMeasured,
];
