/** Thirty days of findings about one promise, from the days that have any. */
import type { DayFound, State } from '#console/api.ts';

export type StripDay = { day: string; state: State | null; found: number };

const DAYS = 30;
const DAY_MS = 86_400_000;

/** The worst that was found on a day: one broken finding is not outweighed by many good ones. */
function worst({ kept, broken, gap }: DayFound): State | null {
  if (broken > 0) return 'broken';
  if (gap > 0) return 'gap';
  return kept > 0 ? 'kept' : null;
}

/** @returns the last thirty days, oldest first; a day without a finding has no state. */
export function stripOf(days: readonly DayFound[], now: Date): StripDay[] {
  const found = new Map(days.map((one) => [one.day, one]));
  return Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(now.getTime() - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10);
    const one = found.get(day);
    const count = one ? one.kept + one.broken + one.gap : 0;
    return { day, state: one ? worst(one) : null, found: count };
  });
}

/** "kept on 12 days, broken on 1 day, nothing found on 17 days". */
export function stripInWords(strip: readonly StripDay[]): string {
  const on = (state: State | null) => strip.filter((day) => day.state === state).length;
  const parts = (['broken', 'gap', 'kept'] as const)
    .map((state) => [state === 'gap' ? 'a gap' : state, on(state)] as const)
    .filter(([, days]) => days > 0)
    .map(([state, days]) => `${state} on ${days} ${days === 1 ? 'day' : 'days'}`);
  return `the last 30 days: ${parts.join(', ') || 'no proof has run'}`;
}
