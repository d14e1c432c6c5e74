/**
 * Lengths of time, as policies write them (ISO 8601) and as arithmetic needs them.
 *
 * A year counts 365 days and a month 30: the short reading, so that a limit is never kept longer
 * than a person would expect from the words. Fractions are not allowed: a promise is whole. Nothing
 * is longer than 100 years, so that every date that follows from a length is one.
 */

export type Duration = {
  readonly milliseconds: number;
  /** As written. */
  readonly text: string;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The longest length of time, in milliseconds: 100 years. */
export const DURATION_MAX_MS = 100 * 365 * DAY;

// No more digits of a unit than the longest length has; the sum is looked at afterwards.
const DATE = '(?:(\\d{1,3})Y)?(?:(\\d{1,4})M)?(?:(\\d{1,4})W)?(?:(\\d{1,5})D)?';
const TIME = '(?:T(?=\\d)(?:(\\d{1,6})H)?(?:(\\d{1,8})M)?(?:(\\d{1,10})S)?)?';

/** What a length of time looks like, for the grammar and its JSON Schema. */
export const DURATION_SHAPE = new RegExp(`^P(?!$)${DATE}${TIME}$`);

const UNITS = [365 * DAY, 30 * DAY, 7 * DAY, DAY, HOUR, MINUTE, SECOND] as const;

/** Reads an ISO 8601 duration of at most 100 years; undefined when the text is none. */
export function tryDuration(text: string): Duration | undefined {
  const match = DURATION_SHAPE.exec(text);
  if (!match) return undefined;
  let milliseconds = 0;
  for (let i = 0; i < UNITS.length; i += 1) {
    const count = match[i + 1];
    if (count !== undefined) milliseconds += Number(count) * (UNITS[i] ?? 0);
  }
  return milliseconds > DURATION_MAX_MS ? undefined : { milliseconds, text };
}

/**
 * Reads an ISO 8601 duration of at most 100 years.
 * @throws RangeError when the text is none.
 */
export function parseDuration(text: string): Duration {
  const duration = tryDuration(text);
  if (!duration)
    throw new RangeError(`not an ISO 8601 duration of at most 100 years: ${text.slice(0, 40)}`);
  return duration;
}

const WORDS: readonly (readonly [number, string])[] = [
  [365 * DAY, 'year'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [SECOND, 'second'],
];

/** In words, exactly: "90 days", "1 year 6 days", "48 hours", "at once". */
export function durationInWords({ milliseconds, text }: Duration): string {
  if (milliseconds === 0) return 'at once';
  const hours = /^PT(\d+)H$/.exec(text)?.[1];
  if (hours) return count(Number(hours), 'hour');
  const parts: string[] = [];
  let rest = milliseconds;
  for (const [unit, word] of WORDS) {
    const whole = Math.floor(rest / unit);
    if (whole > 0) parts.push(count(whole, word));
    rest -= whole * unit;
  }
  return parts.join(' ');
}

const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
