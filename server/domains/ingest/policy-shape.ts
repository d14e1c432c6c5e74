/** The parts of a policy that decide about events, as the policy language types them. */
import type { Policy } from '@troth/policy-language';

export type IngestPolicy = Policy;
export type PolicyDataType = Policy['data'][string];
export type PolicyPurpose = Policy['purposes'][string];

/** A length in milliseconds; Infinity for one that an event ends, such as a deletion. */
export const lengthOf = (limit: { readonly milliseconds: number | null } | undefined): number =>
  limit?.milliseconds ?? Number.POSITIVE_INFINITY;

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** "512KB" in bytes. */
export function bytesOf(text: string): number {
  const [, count = '0', unit = 'B'] = /^(\d+)(B|KB|MB|GB)$/.exec(text) ?? [];
  return Number(count) * (UNITS[unit] ?? 1);
}
