/** What proves the promises about the doors of the server. */
import type { Proof } from '#core/promises';
import { cookiesDeclared } from './cookies-declared.ts';
import { csrf } from './csrf.ts';
import { firstPartyOnly } from './first-party-only.ts';
import { forwardSecrecy } from './forward-secrecy.ts';
import { headers } from './headers.ts';
import { httpsOnly } from './https-only.ts';
import { inputInert } from './input-inert.ts';
import { noStore } from './no-store.ts';
import { sdkCall } from './sdk-call.ts';
import { sdkLibrary } from './sdk-library.ts';
import { sdkNoFingerprint } from './sdk-no-fingerprint.ts';
import { sdkSystemFields } from './sdk-system-fields.ts';
import { securityTxt } from './security-txt.ts';
import { tls } from './tls.ts';

export const httpProofs: readonly Proof[] = [
  tls,
  forwardSecrecy,
  cookiesDeclared,
  csrf,
  firstPartyOnly,
  headers,
  httpsOnly,
  inputInert,
  noStore,
  securityTxt,
  sdkCall,
  sdkLibrary,
  sdkNoFingerprint,
  sdkSystemFields,
];
