/** @see GDPR Art. 3: the members of the union, and those of the EEA, which it reaches as well. */
const EU = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO'.split(
    ' ',
  ),
);

/**
 * Whether a country falls under one of a policy's regions.
 *
 * @param country  ISO 3166-1 alpha-2, or a union; '' where it was looked for and not found, which
 *                 falls under every region: the strictest rule is the safe one.
 */
export function isWithin(country: string, regions: ReadonlySet<string>): boolean {
  if (regions.size === 0) return false;
  return country === '' || regions.has(country) || (EU.has(country) && regions.has('EU'));
}
