/** Numbers, times and lengths as a careful person writes them: with units, in one style. */
const number = new Intl.NumberFormat('en-GB');
const compact = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export const count = (value: number) => number.format(value);
export const shortCount = (value: number) =>
  value < 10_000 ? count(value) : compact.format(value);
export const many = (value: number, one: string, more = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : more}`;
export const day = (text: string) => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : date.format(at);
};

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** "29 d 3 h", "4 min 10 s", "12 ms": the two largest units, or the largest alone. */
export function length(milliseconds: number, units: 1 | 2 = 2): string {
  const first = UNITS.findIndex(([, size]) => milliseconds >= size);
  const unit = UNITS[first];
  if (!unit) return `${Math.round(milliseconds)} ms`;
  const whole = Math.floor(milliseconds / unit[1]);
  const next = units === 2 ? UNITS[first + 1] : undefined;
  const rest = next ? Math.floor((milliseconds % unit[1]) / next[1]) : 0;
  return `${count(whole)} ${unit[0]}${next && rest > 0 ? ` ${rest} ${next[0]}` : ''}`;
}

/** A time said relative to now, with the absolute one on hover. */
export function Ago({ at }: { at: string }) {
  const then = new Date(at);
  const passed = Math.max(0, Date.now() - then.getTime());
  return (
    <time dateTime={at} title={moment.format(then)}>
      {passed < 5_000 ? 'just now' : `${length(passed, 1)} ago`}
    </time>
  );
}

/** The start of a hash; the whole of it on hover. */
export const Hash = ({ value }: { value: string }) => (
  <code className="hash" title={value}>
    {value.slice(0, 12)}
  </code>
);
