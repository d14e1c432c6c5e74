/** What holds where a row is from; worked out apart from the code that keeps it. */
import { randomInt } from 'node:crypto';

/** @see GDPR, Article 3; the EEA's members are reached as well. */
const UNION = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO'.split(
    ' ',
  ),
);

/** Of no place, and so of none that anybody has a rule or a choice for. */
const NOWHERE = 'QY';
/** Where no document has rules of its own yet; a round takes one of them by lot. */
const FAR = 'AE AR AU BR CA CH CL CN CO EG GB ID IL IN JP KE KR MX NG NZ PH SA SG TH TR UA VN ZA';

/** Milliseconds, by country or union. */
export type Rules = {
  /** What the policy allows there at most. */
  readonly most: Readonly<Record<string, number>>;
  /** What customers chose there. */
  readonly chosen: Readonly<Record<string, number>>;
};

/**
 * How long a row from there may live at most.
 *
 * @param country  ISO 3166-1 alpha-2; empty where it is not known: what holds anywhere may hold.
 * @param totalMs  what holds where nothing else is said; `undefined`: no length ends it.
 */
export function lifeIn(
  { most, chosen }: Rules,
  country: string,
  totalMs: number | undefined,
): number | undefined {
  const inUnion = UNION.has(country);
  const cap = most[country] ?? (inUnion ? most['EU'] : undefined);
  // The country's own rule or choice goes before that of its union.
  const own = chosen[country] ?? most[country];
  const choice = own === undefined && inUnion ? chosen['EU'] : chosen[country];
  if (choice !== undefined) return Math.min(choice, cap ?? choice);
  if (cap === undefined) return totalMs;
  return totalMs === undefined ? cap : Math.min(cap, totalMs);
}

/**
 * Where planted rows are from: nowhere first, then an unknown place, two of most services' people,
 * and another. Left out is where a customer chose a longer life: they do not end at the others' age.
 */
export function placesToTry(rules: Rules, totalMs: number | undefined): readonly string[] {
  const far = FAR.split(' ');
  const places = ['', 'US', 'DE', far[randomInt(far.length)] ?? ''];
  const most = totalMs ?? Number.POSITIVE_INFINITY;
  return [NOWHERE, ...places.filter((place) => (lifeIn(rules, place, totalMs) ?? most) <= most)];
}
