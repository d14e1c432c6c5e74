/** What proves the promises about the doors of the server. */
import type { Proof } from '#core/promises';
import { forwardSecrecy } from './forward-secrecy.ts';
import { tls } from './tls.ts';

export const httpProofs: readonly Proof[] = [tls, forwardSecrecy];
