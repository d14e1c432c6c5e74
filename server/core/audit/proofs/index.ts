/** What proves the promises that the audit log keeps. */
import type { Proof } from '#core/promises';
import { appendOnly } from './append-only.ts';
import { readsLogged, serviceLogs } from './readings.ts';
import { sameTransaction } from './same-transaction.ts';

export const auditProofs: readonly Proof[] = [
  ...[appendOnly, sameTransaction],
  ...[readsLogged, serviceLogs],
];
