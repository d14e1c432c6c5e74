/** Numbers as people write them: "90 Days", "$25.00", "< 5 minutes", "k = 5", "TLS 1.3". */
import { tryDuration } from '#language/duration';

export type Quantity = {
  readonly kind: 'duration' | 'money' | 'version' | 'size' | 'count';
  /** Milliseconds, cents, bytes, or the number itself. */
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
const SIZE = /\b(\d+)\s?(KB|MB|GB|TB)\b/g;
/** A bare number counts only beside a word that makes it one, and without a unit behind it. */
const COUNTED = 'cost factor|k|size|minThreshold|minUsers|limit|or';
const UNIT_BEHIND = '\\s*(?:-|days?|hours?|minutes?|years?|months?|weeks?|\\.\\d)';
const COUNT = new RegExp(
  `\\b(?:${COUNTED})\\s*(?:=|>=|≥|:)?\\s*(\\d{1,5})\\b(?!${UNIT_BEHIND})`,
  'gi',
);

const AGE = /\bunder (?:the age of )?(\d{1,2})\b/gi;

const POWER = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Every quantity in a text, left to right within each kind. */
export function quantitiesIn(text: string): Quantity[] {
  if (!/\d/.test(text)) return [];
  const found: Quantity[] = [];
  const add = (kind: Quantity['kind'], value: number, match: RegExpMatchArray) =>
    found.push({ kind, value, text: match[0].trim() });
  for (const match of text.matchAll(DURATION)) {
    add('duration', Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 0), match);
  }
  for (const match of text.matchAll(MONEY)) {
    add('money', Math.round(Number(match[1]?.replaceAll(',', '')) * 100), match);
  }
  for (const match of text.matchAll(TLS)) add('version', Number(match[1]), match);
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
  if (key === 'tls') return [{ kind: 'version', value: Number(text), text }];
  return quantitiesIn(text);
}
