/**
 * Lengths of time, as policies write them (ISO 8601) and as arithmetic needs them.
 *
 * A year counts 365 days and a month 30: the short reading, so that a limit is never kept longer
 * than a person would expect from the words. Fractions are not allowed: a promise is whole.
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

const DATE = '(?:(\\d{1,6})Y)?(?:(\\d{1,6})M)?(?:(\\d{1,6})W)?(?:(\\d{1,6})D)?';
const TIME = '(?:T(?=\\d)(?:(\\d{1,8})H)?(?:(\\d{1,8})M)?(?:(\\d{1,9})S)?)?';
const SHAPE = new RegExp(`^P(?!$)${DATE}${TIME}$`);

const UNITS = [365 * DAY, 30 * DAY, 7 * DAY, DAY, HOUR, MINUTE, SECOND] as const;

/** Reads an ISO 8601 duration; undefined when the text is none. */
export function tryDuration(text: string): Duration | undefined {
  const match = SHAPE.exec(text);
  if (!match) return undefined;
  const milliseconds = UNITS.reduce((sum, unit, i) => sum + unit * Number(match[i + 1] ?? 0), 0);
  return { milliseconds, text };
}

/**
 * Reads an ISO 8601 duration.
 * @throws RangeError when the text is none.
 */
export function parseDuration(text: string): Duration {
  const duration = tryDuration(text);
  if (!duration) throw new RangeError(`not an ISO 8601 duration: ${text.slice(0, 40)}`);
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
