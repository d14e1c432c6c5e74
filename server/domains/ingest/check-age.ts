import { keep } from './keep.ts';
import type { Batch, IngestEvent } from './model.ts';
import type { IngestPlan } from './plan.ts';
import type { Tools } from './ports.ts';
import { ruleIn } from './regions.ts';

/** The least age in a country, in years; the strictest rule where the country is not known. */
export function ageMinimum(age: NonNullable<IngestPlan['age']>, country: string): number {
  const regions = age.regions ?? {};
  if (country === '') return Math.max(age.minimum, ...Object.values(regions));
  return ruleIn(regions, country) ?? age.minimum;
}

/**
 * Drops what is about a child. Only what the sender says counts: a flag, an age in years, or that
 * the person is below the minimum; nothing is guessed, and neither age nor flag is stored.
 */
export function checkAge(batch: Batch, { reportMinor }: Tools): Batch {
  const { age } = batch.plan;
  if (age === undefined) return batch;
  keep(batch, (event) => {
    if (!isMinor(event, age)) return undefined;
    if (age.below === 'purge' && event.handle) reportMinor(batch.tenant, event.handle);
    return 'under-age';
  });
  return batch;
}

function isMinor(event: IngestEvent, age: NonNullable<IngestPlan['age']>): boolean {
  const { minor, years } = event;
  return minor || (years !== undefined && years < ageMinimum(age, event.country));
}
