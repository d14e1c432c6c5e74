/**
 * Personal content in free text: what it looks like, and how it is cut out.
 *
 * Cutting errs on the side of the person: a number that may be a telephone is cut. No pattern
 * runs unless a cheap look at the text says that it could match, so plain words cost one scan.
 */
import type { STRIP_CLASSES } from '@troth/policy-language';
import { digitsThatAreNot, hasLuhn, isIban } from './check-digits.ts';
import { classifyName } from './personal-names.ts';
import {
  BARE_DOMAIN,
  CARD_RUN,
  COORDINATES,
  CREDENTIAL,
  DIGITS,
  EMAIL,
  GLUED_PHONE,
  HANDLE,
  IBAN,
  IP,
  LOOSE_QUERY,
  NAMED_QUERY,
  NAMES,
  NATIONAL_ID,
  QUERY,
  STREET_WORD,
  STREETS,
  SUSPECT,
  URL_LOGIN,
  UUID,
} from './personal-patterns.ts';
import { reveal } from './reveal.ts';

/** A class of content that a policy may have cut out (`ingest.strip`). */
export type Classifier = (typeof STRIP_CLASSES)[number];

/** A cut leaves a mark that says what was there, so that a reader does not take it for whole. */
const mark = (what: Classifier) => `[${what}]`;

const MESSAGE_CHARACTERS = 240;
const MESSAGE_WORDS = 30;

export type Cleaned = { readonly text: string; readonly found: readonly Classifier[] };

const NOTHING: readonly Classifier[] = [];

/**
 * Cuts personal content out of one text.
 *
 * @param text at most 16,384 characters; what is longer must have been refused before.
 * @returns the text itself, unchanged, when nothing was found.
 */
export function cleanText(text: string, wanted: ReadonlySet<Classifier>): Cleaned {
  if (text.length > MESSAGE_CHARACTERS && wanted.has('message') && isMessage(text)) {
    return { text: mark('message'), found: ['message'] };
  }
  if (!SUSPECT.test(text)) return { text, found: NOTHING };
  const found: Classifier[] = [];
  let clean = reveal(text);
  const cut = (what: Classifier, pattern: RegExp, by: string = mark(what)) => {
    const next = clean.replace(pattern, by);
    if (next === clean) return;
    clean = next;
    if (!found.includes(what)) found.push(what);
  };
  if (wanted.has('query-string') && /[?#]|:\/\//.test(clean)) {
    cut('query-string', URL_LOGIN, '$1');
    cut('query-string', QUERY, '$1');
    cut('query-string', LOOSE_QUERY, '$1$2');
    cut('query-string', NAMED_QUERY, '');
  }
  if (wanted.has('credential')) cut('credential', CREDENTIAL);
  if (wanted.has('email')) cut('email', EMAIL);
  if (wanted.has('person-name') && clean.includes('@')) {
    cut('person-name', HANDLE, `$1${mark('person-name')}`);
  }
  if (wanted.has('email') && clean.includes('@')) cut('email', BARE_DOMAIN);
  if (wanted.has('ip-address')) cut('ip-address', IP);
  if (/\d/.test(clean)) clean = cutNumbers(clean, wanted, found);
  if (wanted.has('address') && STREET_WORD.test(clean)) {
    for (const street of STREETS) cut('address', street);
  }
  if (wanted.has('person-name')) for (const name of NAMES) cut('person-name', name);
  return found.length === 0 ? { text, found: NOTHING } : { text: clean, found };
}

function cutNumbers(text: string, wanted: ReadonlySet<Classifier>, found: Classifier[]): string {
  const note = (what: Classifier) => {
    if (!found.includes(what)) found.push(what);
    return mark(what);
  };
  const pieces = text.split(UUID);
  return pieces
    .map((piece, at) => (at % 2 === 1 ? piece : cutDigits(piece, wanted, note)))
    .join('');
}

function cutDigits(
  text: string,
  wanted: ReadonlySet<Classifier>,
  note: (what: Classifier) => string,
): string {
  let clean = text;
  if (wanted.has('address')) clean = clean.replace(COORDINATES, () => note('address'));
  if (wanted.has('national-id')) clean = clean.replace(NATIONAL_ID, () => note('national-id'));
  if (wanted.has('iban')) clean = cutIbans(clean, note);
  if (wanted.has('card')) clean = cutCards(clean, note);
  if (wanted.has('phone')) {
    const cutPhone = (seen: string) => (digitsThatAreNot(seen) ? seen : note('phone'));
    clean = clean.replace(GLUED_PHONE, cutPhone).replace(DIGITS, cutPhone);
  }
  return clean;
}

/** What only looks like the end of an account number may be the start of the next. */
function cutIbans(text: string, note: (what: Classifier) => string): string {
  let clean = '';
  let from = 0;
  IBAN.lastIndex = 0;
  for (let seen = IBAN.exec(text); seen; seen = IBAN.exec(text)) {
    const own = ibanAtStartOf(seen[0]);
    if (own === undefined) {
      IBAN.lastIndex = seen.index + 1;
      continue;
    }
    clean += text.slice(from, seen.index) + note('iban');
    from = seen.index + own.length;
    IBAN.lastIndex = from;
  }
  return clean + text.slice(from);
}

/** The longest run of whole groups that is an account number. */
function ibanAtStartOf(groups: string): string | undefined {
  for (let end = groups.length; end > 0; end = groups.slice(0, end).search(/[ -][^ -]*$/)) {
    const front = groups.slice(0, end);
    if (isIban(front)) return front;
  }
  return undefined;
}

function cutCards(text: string, note: (what: Classifier) => string): string {
  return text.replace(CARD_RUN, (run) => (hasLuhn(run) ? note('card') : run));
}

function isMessage(text: string): boolean {
  let words = 1;
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) words++;
  return words >= MESSAGE_WORDS;
}

const DEPTH_MAX = 12;

/** Cleans a JSON value in depth; members named after personal content are left out whole. */
export function cleanJson(
  value: unknown,
  wanted: ReadonlySet<Classifier>,
  found: Set<Classifier>,
  depth = 0,
): unknown {
  if (typeof value === 'string') {
    const cleaned = cleanText(value, wanted);
    for (const what of cleaned.found) found.add(what);
    return cleaned.text;
  }
  if (typeof value === 'number') return cleanNumber(value, wanted, found);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, wanted, found, depth + 1));
  const kept: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const what = classifyName(name);
    if (what !== undefined && wanted.has(what)) found.add(what);
    else if (cleanText(name, wanted).found.length > 0) found.add('message');
    else kept.push([name, cleanJson(member, wanted, found, depth + 1)]);
  }
  return Object.fromEntries(kept);
}

function cleanNumber(value: number, wanted: ReadonlySet<Classifier>, found: Set<Classifier>) {
  if (!wanted.has('card') || value < 1e12 || !Number.isInteger(value)) return value;
  if (!hasLuhn(String(value)) || digitsThatAreNot(String(value))) return value;
  found.add('card');
  return null;
}
