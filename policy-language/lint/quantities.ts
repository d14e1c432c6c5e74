/** Numbers as people write them: "90 Days", "$25.00", "k = 5", "TLS 1.3", "March 4, 2026". */
import { tryDuration } from '#language/duration';

export type Quantity = {
  readonly kind: 'duration' | 'money' | 'tls' | 'version' | 'date' | 'size' | 'count';
  /** Milliseconds (of a date: since 1970), cents, bytes, or the number itself. */
  readonly value: number;
  readonly text: string;
};

const SECOND = 1000;
const UNITS: Readonly<Record<string, number>> = {
  second: SECOND,
  minute: 60 * SECOND,
  hour: 3600 * SECOND,
  day: 86_400 * SECOND,
  week: 7 * 86_400 * SECOND,
  month: 30 * 86_400 * SECOND,
  year: 365 * 86_400 * SECOND,
};

const DURATION = /(\d+(?:\.\d+)?)[\s-]*(second|minute|hour|day|week|month|year)s?\b(?! of age)/gi;
const MONEY = /\$\s?(\d+(?:,\d{3})*(?:\.\d{2})?)/g;
const TLS = /\bTLS\s?v?(\d\.\d)\b/gi;
/** Of the document itself: "v2.0", "version 2.0.1"; not of a protocol, which has its name before. */
const VERSION = /(?<!TLS\s?)\bv(?:ersion\s?)?(\d+\.\d+(?:\.\d+)?)\b/gi;
const MONTH = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\\.?';
/** "March 4, 2026" and "4 March 2026". */
const DATE = new RegExp(
  `\\b${MONTH}\\s(\\d{1,2})(?:st|nd|rd|th)?,?\\s(\\d{4})\\b|\\b(\\d{1,2})(?:st|nd|rd|th)?\\s${MONTH}\\s(\\d{4})\\b`,
  'gi',
);
const ISO_DATE = /\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b/g;
const SIZE = /\b(\d+)\s?(KB|MB|GB|TB)\b/g;
/** A bare number counts only beside a word that makes it one, and without a unit behind it. */
const COUNTED = 'cost factor|k|size|minThreshold|minUsers|limit|or';
const UNIT_BEHIND = '\\s*(?:-|days?|hours?|minutes?|years?|months?|weeks?|\\.\\d)';
const COUNT = new RegExp(
  `\\b(?:${COUNTED})\\s*(?:=|>=|≥|:)?\\s*(\\d{1,5})\\b(?!${UNIT_BEHIND})`,
  'gi',
);

const AGE = /\bunder (?:the age of )?(\d{1,2})\b/gi;

/** "2.0" and "2.0.0" are one version. */
const versionNumber = (text: string) =>
  text.split('.').reduce((sum, part, at) => sum + Number(part) * 1000 ** (2 - at), 0);

const POWER = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Every quantity in a text, left to right within each kind. */
export function quantitiesIn(text: string): Quantity[] {
  if (!/\d/.test(text)) return [];
  const found: Quantity[] = [];
  const add = (kind: Quantity['kind'], value: number, match: RegExpMatchArray) => {
    // Words that look like a date and are none.
    if (!Number.isNaN(value)) found.push({ kind, value, text: match[0].trim() });
  };
  for (const match of text.matchAll(DURATION)) {
    add('duration', Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 0), match);
  }
  for (const match of text.matchAll(MONEY)) {
    add('money', Math.round(Number(match[1]?.replaceAll(',', '')) * 100), match);
  }
  for (const match of text.matchAll(TLS)) add('tls', Number(match[1]), match);
  for (const match of text.matchAll(VERSION)) add('version', versionNumber(match[1] ?? ''), match);
  for (const match of text.matchAll(DATE)) {
    const [, month, day, year, dayBefore, monthBehind, yearBehind] = match;
    const words = `${day ?? dayBefore} ${month ?? monthBehind} ${year ?? yearBehind} UTC`;
    add('date', Date.parse(words), match);
  }
  for (const match of text.matchAll(ISO_DATE)) add('date', Date.parse(match[0]), match);
  for (const match of text.matchAll(SIZE)) {
    add('size', Number(match[1]) * 1024 ** POWER.indexOf(match[2] ?? 'B'), match);
  }
  for (const match of text.matchAll(AGE)) add('count', Number(match[1]), match);
  for (const match of text.matchAll(COUNT)) add('count', Number(match[1]), match);
  return found;
}

/** The quantities that a value of the document can be compared as; several where it is unclear. */
export function quantitiesOf(value: unknown, key = ''): Quantity[] {
  if (typeof value === 'number') {
    const text = String(value);
    if (key === 'amount-cents') return [{ kind: 'money', value, text }];
    return [{ kind: 'count', value, text }];
  }
  if (typeof value === 'string') return quantitiesOfText(value, key);
  if (Array.isArray(value)) return value.flatMap((item) => quantitiesOf(item, key));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => quantitiesOf(member, name));
}

function quantitiesOfText(text: string, key: string): Quantity[] {
  const duration = tryDuration(text);
  if (duration) return [{ kind: 'duration', value: duration.milliseconds, text }];
  const size = /^(\d+)(B|KB|MB|GB|TB)$/.exec(text);
  if (size) {
    return [{ kind: 'size', value: Number(size[1]) * 1024 ** POWER.indexOf(size[2] ?? 'B'), text }];
  }
  if (key === 'tls') return [{ kind: 'tls', value: Number(text), text }];
  if (key === 'version' && /^[\d.]+$/.test(text)) {
    return [{ kind: 'version', value: versionNumber(text), text }];
  }
  return quantitiesIn(text);
}
