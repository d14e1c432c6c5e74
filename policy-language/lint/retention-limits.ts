/** Limits of time that do not agree with each other; the shortest always wins. */
import { categoryLimits } from '#language/compile';
import { type Limit, limitInWords, shortest, tiersOf } from '#language/retention';
import { quantitiesIn } from './quantities.ts';
import type { Raised, Rule } from './rule.ts';

export const tiersAddUp: Rule = function* ({ policy }) {
  for (const [id, { retain }] of Object.entries(policy.data)) {
    if (retain === undefined || typeof retain === 'string' || retain.total === undefined) continue;
    const { active, archive, total } = tiersOf(retain);
    if (active.milliseconds === null || !archive || total.milliseconds === null) continue;
    const sum = active.milliseconds + (archive.milliseconds ?? 0);
    if (sum === total.milliseconds) continue;
    yield {
      code: 'retention/tiers-differ',
      message: `"${id}": ${limitInWords(active)} active and ${limitInWords(archive)} in the archive are not ${limitInWords(total)}.`,
      path: ['data', id, 'retain'],
      promises: boundTo(policy, id),
      expected: 'an archive that ends when the total is reached',
      example: tiersWithin(active.milliseconds, total.milliseconds),
    };
  }
};

const DAY_MS = 86_400_000;

function tiersWithin(activeMs: number, totalMs: number): string {
  const [active, total] = [Math.floor(activeMs / DAY_MS), Math.floor(totalMs / DAY_MS)];
  const archive = Math.max(total - active, 0);
  return `{ active: P${total - archive}D, archive: P${archive}D, total: P${total}D }`;
}

/**
 * A value of a limited category may hide in free text of longer-lived rows, or stand there as a
 * field of its own; the limit binds the value wherever it stands.
 */
export const limitsBindFieldByField: Rule = function* ({ policy }) {
  const limits = categoryLimits(policy);
  for (const data of Object.values(policy.compiled.data)) {
    const whole = data.tiers?.total;
    if (!whole) continue;
    for (const field of Object.values(data.fields)) {
      if (shorter(field.retain, whole) && field.category && limits.has(field.category)) {
        const message = `"${field.name}" is ${field.category}: kept ${limitInWords(field.retain)}, its row ${limitInWords(whole)}.`;
        yield conflict(data.id, field.name, message, boundTo(policy, data.id));
      }
    }
    const address = limits.get('user.device.ip_address');
    const freeText = freeTextOf(policy, data.id);
    if (address && freeText && shorter(address, whole) && !declares(policy, data.id)) {
      const message = `"${freeText}" of "${data.id}" may hold an IP address: kept ${limitInWords(whole)}, addresses ${limitInWords(address)}.`;
      yield conflict(data.id, freeText, message, boundTo(policy, data.id));
    }
  }
};

function conflict(id: string, field: string, message: string, promises: string[]): Raised {
  return {
    code: 'retention/conflict',
    message,
    path: ['data', id, 'fields', field],
    promises,
    expected: 'the shortest limit, field by field',
  };
}

type Policy = Parameters<Rule>[0]['policy'];

/** Free text from machines: where an address slips in without anyone writing it there. */
function freeTextOf(policy: Policy, id: string): string | undefined {
  if (policy.data[id]?.from !== 'events') return undefined;
  const fields = Object.values(policy.compiled.data[id]?.fields ?? {});
  return fields.find(({ seal, category }) => seal === 'subject' && category === 'user.content')
    ?.name;
}

const declares = (policy: Policy, id: string) =>
  policy.data[id]?.categories.includes('user.device.ip_address') === true;

const shorter = (a: Limit, b: Limit) =>
  a.milliseconds !== null &&
  (b.milliseconds === null || a.milliseconds < b.milliseconds) &&
  shortest([a, b]).milliseconds === a.milliseconds;

function boundTo(policy: Policy, id: string): string[] {
  return policy.promises
    .filter(
      ({ control, with: given }) => control?.startsWith('retention.') && given?.['data'] === id,
    )
    .map((row) => row.id);
}

/** `dataRetention: '1-year'` here and `retentionPeriod: '2-years'` there. */
export const oneLengthIsStated: Rule = function* ({ prose }) {
  let shortestStated: number | undefined;
  for (const hit of prose.find('retention', /\w*retention\w*: '(\d+-(?:day|month|year)s?)'/i)) {
    const [quantity] = quantitiesIn(hit.groups[0] ?? '');
    if (!quantity) continue;
    shortestStated ??= quantity.value;
    if (quantity.value === shortestStated) continue;
    yield {
      code: 'retention/several-stated',
      message: `"${hit.groups[0]}" differs from the length stated elsewhere.`,
      hit,
      expected: 'the shortest of them, in every mode',
    };
    shortestStated = Math.min(shortestStated, quantity.value);
  }
};
