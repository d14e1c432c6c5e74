/** What holds where a row is from; worked out apart from the code that keeps it. */

/** @see GDPR, Article 3; the EEA's members are reached as well. */
const UNION = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO'.split(
    ' ',
  ),
);

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
