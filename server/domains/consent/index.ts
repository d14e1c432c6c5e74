/**
 * Consent: what each person has agreed to, purpose by purpose, and since when.
 *
 * A decision is never changed: a withdrawal is a new receipt. The latest decision counts, at the
 * same time the refusal, and whatever is not known counts as no. Other domains ask the gate and
 * never read the table.
 */
import type { Domain } from '#core/domain';
import { consentPersonalData } from './personal-data.ts';

export {
  type Asked,
  type Consent,
  type ConsentDeps,
  type ConsentKeys,
  consentState,
  createConsent,
  type Overview,
  type Standing,
} from './consent.ts';
export type { Recorded } from './decisions.ts';
export { consentProblem } from './errors.ts';
export type { ConsentGate, Question } from './gate.ts';
export type {
  Because,
  Conflict,
  Decision,
  Given,
  Handle,
  Receipt,
  ReceiptId,
  SignalName,
  Signals,
} from './model.ts';
export { renderReceipt, summariseReceipt } from './receipt.ts';
export { isWithin } from './regions.ts';
export { type Caller, type ConsentRoutesDeps, consentRoutes, signalsOf } from './routes.ts';

export { receiptsAge, sweepReceipts } from './store.ts';

/** Without its routes: they need what only the wiring has, and are made by `consentRoutes`. */
export const consentDomain = {
  name: 'consent',
  tables: ['consent_receipts'],
  personalData: consentPersonalData,
  controls: [],
  jobs: [],
} satisfies Domain;
