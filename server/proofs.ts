/** Every proof of this version. A control without one here is a gap that says so. */
import { auditProofs } from '#core/audit/proofs';
import { keyProofs } from '#core/keys/proofs';
import { policyProofs } from '#core/policy/proofs';
import type { Proof } from '#core/promises';
import { purposeProofs } from '#core/purposes/proofs';
import { tenancyProofs } from '#core/tenancy/proofs';
import { consentProofs } from '#domains/consent/proofs';
import { ingestProofs } from '#domains/ingest/proofs';
import { retentionProofs } from '#domains/retention/proofs';
import { rightsProofs } from '#domains/rights/proofs';
import { availabilityProofs } from '#oversight/availability/proofs';
import { httpProofs } from './edges/http/proofs/index.ts';

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
