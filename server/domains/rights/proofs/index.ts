/** What proves that people are forgotten when they ask, and not before. */
import type { Proof } from '#core/promises';
import { bytesGone } from './bytes-gone.ts';
import { certificate } from './certificate.ts';
import { complete } from './complete.ts';
import { deadline } from './deadline.ts';
import { exception } from './exception.ts';
import { hiddenAtOnce } from './hidden-at-once.ts';
import { minor } from './minor.ts';
import { recoverable } from './recoverable.ts';
import { requestChecked } from './request-checked.ts';

export const rightsProofs: readonly Proof[] = [
  complete,
  bytesGone,
  certificate,
  hiddenAtOnce,
  recoverable,
  minor,
  exception,
  requestChecked,
  deadline,
];
