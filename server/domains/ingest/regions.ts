import { isWithin } from '#domains/consent';

/** What a table of regions says about a country: the country's own entry, or that of its union. */
export function ruleIn<Rule>(
  rules: Readonly<Record<string, Rule>>,
  country: string,
): Rule | undefined {
  return rules[country] ?? (isWithin(country, UNION) ? rules['EU'] : undefined);
}

const UNION = new Set(['EU']);
