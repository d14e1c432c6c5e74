/** Where a rule of a region holds. */

/** @see GDPR Art. 3 and the EEA agreement: a policy may name the union; these are its members. */
const EU = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO'.split(
    ' ',
  ),
);

/** What a table of regions says about a country: the country's own entry, or the union's. */
export function ruleIn<Rule>(
  rules: Readonly<Record<string, Rule>>,
  country: string,
): Rule | undefined {
  return rules[country] ?? (EU.has(country) ? rules['EU'] : undefined);
}
