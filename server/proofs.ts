/** Every proof of this version. A control without one here is a gap that says so. */
import { auditProofs } from '#core/audit';
import { keyProofs } from '#core/keys';
import { policyProofs } from '#core/policy';
import type { Proof } from '#core/promises';
import { purposeProofs } from '#core/purposes';
import { tenancyProofs } from '#core/tenancy';
import { consentProofs } from '#domains/consent';
import { ingestProofs } from '#domains/ingest';
import { retentionProofs } from '#domains/retention';
import { rightsProofs } from '#domains/rights';
import { availabilityProofs } from '#oversight/availability';
import { httpProofs } from './edges/http/index.ts';

export const PROOFS: readonly Proof[] = [
  ...auditProofs,
  ...policyProofs,
  ...keyProofs,
  ...purposeProofs,
  ...tenancyProofs,
  ...consentProofs,
  ...ingestProofs,
  ...retentionProofs,
  ...rightsProofs,
  ...httpProofs,
  ...availabilityProofs,
];
