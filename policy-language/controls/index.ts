/**
 * The catalogue of controls: every thing that running software can be bound to do by a policy.
 *
 * Closed on purpose. A promise that fits no entry is a `gap` that someone must design for, never a
 * free text. Promises of different services share an entry and differ in its parameters.
 */
import type { ControlCatalogue } from '#language/control-type';
import { consentControls } from './consent.ts';
import { encryptionControls, keyControls, vaultControls } from './encryption.ts';
import { auditControls, billingControls, gatewayControls } from './gateway.ts';
import { identityControls } from './identity.ts';
import { backupControls, incidentControls, oversightControls } from './incidents.ts';
import { identifyControls, ingestControls } from './ingest.ts';
import { federatedControls, insightsControls } from './insights.ts';
import { changeControls, policyControls } from './policy.ts';
import { accessControls, purposeControls } from './purpose.ts';
import { erasureControls, retentionControls } from './retention.ts';
import { caseControls, rightsControls } from './rights.ts';
import { sharingControls } from './sharing.ts';
import { tenancyControls } from './tenancy.ts';
import { sdkControls, webControls } from './web.ts';

export const controlCatalogue = Object.freeze({
  ...policyControls,
  ...changeControls,
  ...purposeControls,
  ...accessControls,
  ...ingestControls,
  ...identifyControls,
  ...consentControls,
  ...retentionControls,
  ...erasureControls,
  ...rightsControls,
  ...caseControls,
  ...encryptionControls,
  ...keyControls,
  ...vaultControls,
  ...identityControls,
  ...tenancyControls,
  ...webControls,
  ...sdkControls,
  ...sharingControls,
  ...insightsControls,
  ...federatedControls,
  ...gatewayControls,
  ...billingControls,
  ...auditControls,
  ...incidentControls,
  ...backupControls,
  ...oversightControls,
}) satisfies ControlCatalogue;

export type ControlName = keyof typeof controlCatalogue;
