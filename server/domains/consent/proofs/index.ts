/** What proves that people's word, and that of their browsers, is heard. */
import type { Proof } from '#core/promises';
import { askedFirst, byDefault, theSwitch, withdrawn } from './decisions.ts';
import { perPurpose, requiredPurpose } from './records.ts';
import { scopeChosen } from './scope-chosen.ts';
import { signal } from './signal.ts';

export const consentProofs: readonly Proof[] = [
  ...[askedFirst, byDefault, theSwitch, withdrawn],
  ...[perPurpose, requiredPurpose, scopeChosen, signal],
];
