/**
 * Personal content in free text: what it looks like, and how it is cut out.
 *
 * Cutting errs on the side of the person: a number that may be a telephone is cut. Every pattern is
 * linear: no nested quantifier, every repetition bounded, and no pattern runs unless a cheap look
 * at the text says that it could match. Plain words cost one scan.
 */
import { digitsThatAreNot, hasLuhn, isIban } from './check-digits.ts';

export const CLASSIFIERS = [
  'email',
  'phone',
  'card',
  'iban',
  'address',
  'message',
  'query-string',
  'person-name',
  'national-id',
  'credential',
] as const;
export type Classifier = (typeof CLASSIFIERS)[number];

/** A cut leaves a mark that says what was there, so that a reader does not take it for whole. */
const mark = (what: Classifier) => `[${what}]`;

const EMAIL =
  /[^\s@<>"'(),;:\\[\]]{1,64}(?:(?:@|＠|%40)[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}|[ \t]{0,2}(?:@|＠|\(at\)|\[at\])[ \t]{0,2}[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8})/giu;
/** What is left of an address whose local part was quoted or broken up. */
const BARE_DOMAIN = /["'([{]?@[ \t]{0,2}[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/giu;
const QUERY = /\b([a-z][a-z0-9+.-]{1,15}:\/\/[^\s?#]{1,2000})[?#][^\s]{0,4000}/gi;
const LOOSE_QUERY = /(^|\s)(\/[^\s?#]{0,2000})[?#][^\s]{0,4000}/g;
const URL_LOGIN = /(:\/\/)[^\s/@]{1,256}@/g;
const DIGITS =
  /(?<![\p{L}\p{N}_.:/-])(?:\+|00)?[(]?\d(?:[ \t./()\u00a0\u2009\u202f‐‑–-]{0,3}\d){5,24}(?![\p{L}\p{N}_])/gu;
const IBAN = /\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{2,4}){3,8}\b/gi;
const STREET_AFTER =
  /\b\d{1,5}[a-z]?,?[ \t]{1,3}(?:[\p{L}'.-]{1,30}[ \t]{1,3}){1,4}(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|square|sq|terrace|way|place|pl|parkway|pkwy|highway|hwy|close|crescent)\b\.?/giu;
const STREET_BEFORE =
  /[\p{L}.'-]{0,40}(?:stra(?:ß|ss)e|str\.|weg|gasse|platz|allee|ufer|damm|straat|laan|gatan|vej)[ \t]{1,3}\d{1,4}[a-z]?(?![\p{L}\p{N}])/giu;
const STREET_ROMANCE =
  /\b(?:\d{1,4},?[ \t]{1,3})?(?:rue|avenue|boulevard|via|viale|piazza|calle|avenida|plaza|rua)[ \t]{1,3}(?:d[aeiou]s?|del?|della|des|du|la|le|l')?[ \t]{0,3}[\p{L}'-]{2,30}(?:[ \t]{1,3}[\p{L}'-]{2,30}){0,3},?[ \t]{0,3}\d{0,4}(?![\p{L}\p{N}])/giu;
const PO_BOX = /\b(?:p\.?[ \t]?o\.?[ \t]?box|postfach)[ \t]{1,3}\d{1,8}/gi;
const STREET_WORD =
  /street|avenue|\bave?\b|road|\brd\b|\bst\b|boulevard|blvd|lane|\bln\b|drive|\bdr\b|court|\bct\b|square|\bsq\b|terrace|\bway\b|place|\bpl\b|parkway|pkwy|highway|hwy|\bclose\b|crescent|stra(?:ß|ss)e|str\.|weg|gasse|platz|allee|ufer|damm|straat|laan|gatan|vej|\brue\b|\bvia|piazza|calle|avenida|plaza|\brua\b|box|postfach/i;
const HONORIFIC =
  /\b(?:[Mm]r|[Mm]rs|[Mm]s|[Mm]iss|[Mm]x|[Dd]r|[Pp]rof|[Hh]err|[Ff]rau|[Mm]onsieur|[Mm]adame|[Ss]eñora?|[Ss]ig(?:nora?)?)\.?[ \t]{1,2}\p{Lu}[\p{L}'-]{1,30}(?:[ \t]{1,2}\p{Lu}[\p{L}'-]{1,30}){0,2}/gu;
const MY_NAME =
  /\b(?:[Mm]y name is|[Nn]ame:|I am called|[Ii]ch hei(?:ß|ss)e|[Mm]ein [Nn]ame ist|[Jj]e m'appelle|[Mm]e llamo)[ \t]{1,3}[\p{L}'-]{1,30}(?:[ \t]{1,2}\p{Lu}[\p{L}'-]{1,30}){0,2}/gu;
const HANDLE = /(^|[\s(,;])@[a-z0-9_.]{2,30}(?![\p{L}\p{N}@])/giu;
const COORDINATES = /-?\d{1,3}\.\d{3,15}[ \t]{0,2}[,;][ \t]{0,2}-?\d{1,3}\.\d{3,15}/g;

const NATIONAL_ID = /(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])/g;
const CREDENTIAL =
  /\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{0,2000}|\b(?:bearer|basic)[ \t]{1,3}[\w+/=.~-]{12,4000}|\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|glpat|npm|whsec|AKIA|AIza)[-_]?[\w-]{12,256}|-----BEGIN [A-Z ]{3,40}-----[^-]{0,8000}(?:-----END [A-Z ]{3,40}-----)?|\b(?:password|passwd|pwd|secret|token|api[-_]?key)[ \t]{0,3}[=:][ \t]{0,3}\S{3,256}/gi;

const MESSAGE_CHARACTERS = 240;
const MESSAGE_WORDS = 30;

/** One scan that decides whether any pattern is worth running. */
const SUSPECT =
  /[@＠?#\d]|-----|(?:passw|pwd|secret|token|api.?key|bearer|basic|xox|glpat|whsec)|%40|\(at\)|\[at\]|\b(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|monsieur|madame|se.or|sig|name|called|hei|llamo|appelle|rue|via|calle|rua|piazza|plaza|aveni|avenue|boulevard)/iu;

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
  let clean = text.normalize('NFKC');
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
  }
  if (wanted.has('credential')) cut('credential', CREDENTIAL);
  if (wanted.has('email')) cut('email', EMAIL);
  if (wanted.has('person-name') && clean.includes('@')) {
    cut('person-name', HANDLE, `$1${mark('person-name')}`);
  }
  if (wanted.has('email') && clean.includes('@')) cut('email', BARE_DOMAIN);
  if (/\d/.test(clean)) clean = cutNumbers(clean, wanted, found);
  if (wanted.has('address') && STREET_WORD.test(clean)) {
    for (const street of [STREET_AFTER, STREET_BEFORE, STREET_ROMANCE, PO_BOX]) {
      cut('address', street);
    }
  }
  if (wanted.has('person-name')) {
    cut('person-name', HONORIFIC);
    cut('person-name', MY_NAME);
  }
  return found.length === 0 ? { text, found: NOTHING } : { text: clean, found };
}

function cutNumbers(text: string, wanted: ReadonlySet<Classifier>, found: Classifier[]): string {
  const note = (what: Classifier) => {
    if (!found.includes(what)) found.push(what);
    return mark(what);
  };
  let clean = text;
  if (wanted.has('address')) clean = clean.replace(COORDINATES, () => note('address'));
  if (wanted.has('national-id')) clean = clean.replace(NATIONAL_ID, () => note('national-id'));
  if (wanted.has('iban')) {
    clean = clean.replace(IBAN, (seen) => (isIban(seen) ? note('iban') : seen));
  }
  if (wanted.has('card')) clean = cutCards(clean, note);
  if (wanted.has('phone')) {
    clean = clean.replace(DIGITS, (seen) => (digitsThatAreNot(seen) ? seen : note('phone')));
  }
  return clean;
}

/**
 * Thirteen to nineteen digits, however spaced, anywhere inside a longer run: a card may hide there.
 */
const CARD_RUN = /\d(?:[ \t._/\u00a0\u2009\u202f‐‑–-]{0,2}\d){12,60}/g;

function cutCards(text: string, note: (what: Classifier) => string): string {
  return text.replace(CARD_RUN, (run) => (hasLuhn(run) ? note('card') : run));
}

function isMessage(text: string): boolean {
  let words = 1;
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) words++;
  return words >= MESSAGE_WORDS;
}

/**
 * Names of places that hold personal content whatever they contain. Asked only where the policy
 * declares no field: inside JSON values, and among traits.
 */
const BY_NAME: readonly (readonly [Classifier, RegExp])[] = [
  ['email', /^(e[-_]?mail|mail)([-_]?address)?$/],
  ['phone', /^(phone|mobile|telephone|tel|fax|msisdn|cell)([-_]?(number|no))?$/],
  ['card', /^(card|credit[-_]?card|cc|pan|cvv|cvc)([-_]?(number|no|code))?$/],
  ['iban', /^(iban|bic|swift|account[-_]?(number|no)|bank[-_]?account|sort[-_]?code)$/],
  [
    'address',
    /^(address|street|addr|postal[-_]?code|post[-_]?code|zip([-_]?code)?|(home|billing|shipping|postal)[-_]?address|address[-_]?line[-_]?\d)$/,
  ],
  [
    'message',
    /^(message|messages|body|content|contents|text|comment|comments|note|notes|document|documents|chat|dm|reply|transcript|prompt|completion)$/,
  ],
  ['query-string', /^(q|query|search|search[-_]?(query|term|text)|keywords?|term|querystring)$/],
  [
    'person-name',
    /^(name|(first|last|middle|full|given|family|sur|maiden|display|real|user)[-_]?name|surname|nick[-_]?name|birth[-_]?(day|date)|dob|date[-_]?of[-_]?birth)$/,
  ],
  [
    'person-name',
    /^(twitter|facebook|instagram|linkedin|tiktok|snapchat|mastodon|bluesky|social|handle)([-_]?(id|handle|url|profile|name))?$/,
  ],
  [
    'address',
    /^(lat|latitude|lng|lon|long|longitude|coords|coordinates|geo|geolocation|gps|location)$/,
  ],
  [
    'national-id',
    /^(ssn|passport|tax[-_]?id|national[-_]?id|nin|id[-_]?card|driver'?s?[-_]?licen[cs]e)([-_]?(number|no))?$/,
  ],
  [
    'credential',
    /^(password|passwd|pwd|secret|token|api[-_]?key|access[-_]?token|refresh[-_]?token|client[-_]?secret|private[-_]?key|authorization|cookie|session[-_]?token)$/,
  ],
];

const named = new Map<string, Classifier | undefined>();
const NAMES_MAX = 2_000;

/** The classifier that a name alone gives away: `firstName` and `first_name` are both person names. */
export function classifyName(name: string): Classifier | undefined {
  if (named.has(name)) return named.get(name);
  const snake = name
    .slice(0, 64)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();
  const found = BY_NAME.find(([, pattern]) => pattern.test(snake))?.[0];
  if (named.size >= NAMES_MAX) named.clear();
  named.set(name, found);
  return found;
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
