import type { Policy } from './policy.ts';

/** The value at a dotted path of the document; undefined where there is none. */
export function valueAt(policy: Policy, path: string): unknown {
  let value: unknown = policy;
  for (const step of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
