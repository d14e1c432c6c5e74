/**
 * Reads the rendered page as a stranger would: each value where it is shown, and words back into
 * figures. Written apart from what renders it.
 */

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
};

/** Text of a page with its character references read. */
export const unescaped = (html: string): string =>
  html.replaceAll(/&(#?\w+);/g, (whole, name: string) => NAMED[name] ?? whole);

const plain = (html: string) =>
  unescaped(html.replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();

/** What the page shows at a path of the document, as often as it shows it. */
export function shownAt(html: string, path: string): string[] {
  const marked = /<span data-at="([^"]*)">([^<]*)<\/span>/g;
  return [...html.matchAll(marked)]
    .filter(([, at]) => at === path)
    .map(([, , text]) => plain(text ?? ''));
}

const SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_536_000,
};

/** `1 year 6 days` → seconds; `undefined` for any other words. */
export function secondsInWords(words: string): number | undefined {
  if (words === 'at once') return 0;
  const parts = [...words.matchAll(/(\d+) (second|minute|hour|day|week|month|year)s?/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join(' ') !== words) return undefined;
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (SECONDS[unit ?? ''] ?? 0),
    0,
  );
}

const LETTERS = { Y: 'year', W: 'week', D: 'day', H: 'hour', S: 'second' } as const;

/** `P90D` → seconds; `undefined` for a text that is no ISO 8601 duration. */
export function secondsInDuration(text: string): number | undefined {
  if (!/^P(\d+[YMWD])*(T(\d+[HMS])+)?$/.test(text) || text === 'P') return undefined;
  const [date = '', time = ''] = text.slice(1).split('T');
  const read = (part: string, month: string) =>
    [...part.matchAll(/(\d+)([A-Z])/g)].reduce((sum, [, count, letter]) => {
      const unit = letter === 'M' ? month : LETTERS[letter as keyof typeof LETTERS];
      return sum + Number(count) * (SECONDS[unit] ?? 0);
    }, 0);
  return read(date, 'month') + read(time, 'minute');
}

/** Whether words on the page say what the document says, however they put it. */
export function saysTheSame(words: string, value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return words === (value ? 'yes' : 'no');
  if (typeof value === 'number')
    return Number(words) === (name === 'amount-cents' ? value / 100 : value);
  if (Array.isArray(value)) {
    const texts = words.split('; ');
    // A member may hold the separator itself: then the whole has to agree.
    return texts.length === value.length
      ? texts.every((text, at) => saysTheSame(text, value[at], name))
      : words === value.join('; ');
  }
  const text = String(value).replaceAll(/\s+/g, ' ').trim();
  const seconds = secondsInDuration(text);
  return seconds === undefined ? words === text : secondsInWords(words) === seconds;
}

/** What an author leaves for later: nothing, or words in brackets. */
export const isPlaceholder = (value: unknown): boolean =>
  typeof value === 'string' &&
  (value.trim() === '' || /\[[A-Z][^\]]*\](?!\()|\b(?:TBD|TBA|lorem ipsum)\b/i.test(value));
