/** What proves the promises that are kept at the event door. */
import type { Proof } from '#core/promises';
import { accounted } from './accounted.ts';
import { addressForgotten } from './address-forgotten.ts';
import { consentFirst } from './consent-first.ts';
import { contentStripped } from './content-stripped.ts';
import { declaredFieldsOnly } from './declared-fields-only.ts';
import { defaultMode } from './default-mode.ts';
import { endpoint } from './endpoint.ts';
import { enrichment } from './enrichment.ts';
import { eventStored } from './event-stored.ts';
import { keyScopes } from './key-scopes.ts';
import { logsSanitised } from './logs-sanitised.ts';
import { minorRefused } from './minor-refused.ts';
import { modeRefuses } from './mode-refuses.ts';
import { noPerson } from './no-person.ts';
import { rateLimit } from './rate-limit.ts';
import { requestChecked } from './request-checked.ts';
import { sessionsLinked } from './sessions-linked.ts';
import { sourcesTyped } from './sources-typed.ts';
import { stages } from './stages.ts';
import { traitsLimited } from './traits-limited.ts';
import { unlinkable } from './unlinkable.ts';
import { valueReduced } from './value-reduced.ts';

export const ingestProofs: readonly Proof[] = [
  accounted,
  addressForgotten,
  consentFirst,
  contentStripped,
  declaredFieldsOnly,
  defaultMode,
  endpoint,
  enrichment,
  eventStored,
  keyScopes,
  logsSanitised,
  minorRefused,
  modeRefuses,
  noPerson,
  rateLimit,
  requestChecked,
  sessionsLinked,
  sourcesTyped,
  stages,
  traitsLimited,
  unlinkable,
  valueReduced,
];
