import type { Brand } from '#base/ids';
import type { Loggable } from '#base/loggable';

/** What a proof says it saw: figures and words of the policy, never a value of a person. */
export type Saw = Brand<'Saw'>;

/** `gap`: it could not look, or there was nothing that it could judge by. Never a pass. */
export type Seen = { readonly state: 'kept' | 'broken' | 'gap'; readonly saw: Saw };

const figures = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });

/**
 * A sentence of a proof: `` saw`${3} of ${3} canaries found` ``.
 *
 * Only figures, switches and branded words fit in, so nothing that a person typed can get there. A
 * sentence may be broken into lines.
 */
export function saw(texts: TemplateStringsArray, ...values: readonly Loggable[]): Saw {
  const filled = texts.map((text, at) => {
    const value = values[at];
    if (value === undefined) return text;
    return text + (typeof value === 'number' ? figures.format(value) : String(value));
  });
  return filled.join('').replaceAll(/\s+/g, ' ') as Saw;
}

export const kept = (what: Saw): Seen => ({ state: 'kept', saw: what });
export const broken = (what: Saw): Seen => ({ state: 'broken', saw: what });
export const gap = (what: Saw): Seen => ({ state: 'gap', saw: what });

/** Kept when it holds, else broken; for a proof that has looked. */
export const judged = (holds: boolean, what: Saw): Seen => (holds ? kept(what) : broken(what));

const TERM = /^[\p{L}\p{N}_ .,:;/+@→'’"()%*=#?&-]{1,160}$/u;

/** A word of the policy (a type, a header, a path) that may be shown; anything else as `…`. */
export const term = (text: string): Brand<'Term'> =>
  (TERM.test(text) ? text : '…') as Brand<'Term'>;

/** Several words of the policy, separated by commas; at most six are named. */
export function terms(texts: readonly string[]): Brand<'Term'> {
  const shown = texts.slice(0, 6).map(term);
  const more = texts.length > shown.length ? ` and ${texts.length - shown.length} more` : '';
  return `${shown.join(', ') || 'none'}${more}` as Brand<'Term'>;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** A length of time in its two largest units: `29 d 3 h`. @param ms  milliseconds. */
export function span(ms: number): Brand<'Span'> {
  let rest = Math.max(0, Math.round(ms));
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    rest -= count * length;
  }
  return (parts.join(' ') || '0 ms') as Brand<'Span'>;
}
