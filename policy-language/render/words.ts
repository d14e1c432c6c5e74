/** Values of the document as people read them. */
import { durationInWords, tryDuration } from '#language/duration';
import { type Policy, valueAt } from '#language/policy';
import type { Value } from './page.ts';

/** A length of time in words; any other text as it is. */
export function durationWords(written: string | undefined): string {
  const duration = written === undefined ? undefined : tryDuration(written);
  return duration ? durationInWords(duration) : (written ?? '');
}

/** @param name  the last key on the way to the value: an amount of money is one by its name. */
export function inWords(value: unknown, name = ''): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number')
    return name === 'amount-cents' ? (value / 100).toFixed(2) : String(value);
  if (typeof value === 'string') return durationWords(value);
  if (Array.isArray(value)) return value.map((member) => inWords(member)).join('; ');
  return Object.entries(value)
    .map(([key, member]) => `${key}: ${inWords(member, key)}`)
    .join('; ');
}

/** The value at a path, in words and marked; empty where the document has none. */
export const shown = (policy: Policy, at: string): Value => ({
  text: inWords(valueAt(policy, at), at.split('.').at(-1)),
  at,
});
