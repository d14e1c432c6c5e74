/** What proves that nothing is kept for longer than the policy says, nor for less. */
import type { Proof } from '#core/promises';
import { everyTypeLimited } from './every-type-limited.ts';
import { limit } from './limit.ts';
import { sweepRuns } from './sweep-runs.ts';
import { tenantChoice } from './tenant-choice.ts';
import { tiers } from './tiers.ts';
import { untilRemoved } from './until-removed.ts';

export const retentionProofs: readonly Proof[] = [
  limit,
  tiers,
  untilRemoved,
  everyTypeLimited,
  sweepRuns,
  tenantChoice,
];
