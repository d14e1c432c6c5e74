import { isObject, type JsonObject } from './wire.ts';

/** What a sender says about a person's age, wherever and however it says it. */
export type SaidOfAge = { readonly minor: boolean; readonly years: number | undefined };

const FLAGS = ['minor', 'isMinor', 'is_minor'] as const;
const YES = new Set<unknown>([true, 1, 'true', '1', 'yes']);
const NUMBER = /^\s*\d{1,3}(\.\d+)?\s*$/;

const yearsIn = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined;
};

const isYes = (value: unknown) => YES.has(typeof value === 'string' ? value.toLowerCase() : value);

/**
 * Reads every place where clients put it: the event itself, its properties or traits, its context
 * and the traits in it. One that says a child is enough, and of two ages the lower one counts: a
 * child whose age was spelt otherwise than expected is not to be taken for grown up.
 */
export function saidOfAge(places: readonly (JsonObject | undefined)[]): SaidOfAge {
  let minor = false;
  let years: number | undefined;
  for (const place of places) {
    if (place === undefined) continue;
    minor ||= FLAGS.some((flag) => isYes(place[flag]));
    const said = yearsIn(place['age']);
    if (said !== undefined && (years === undefined || said < years)) years = said;
  }
  return { minor, years };
}

/** A member that may hold what is looked for. */
export const placeIn = (holder: JsonObject, name: string): JsonObject | undefined => {
  const value = holder[name];
  return isObject(value) ? value : undefined;
};
