/**
 * What personal content looks like in free text.
 *
 * Every pattern is linear: no nested quantifier, every repetition bounded. A test runs each on text
 * made to hurt it.
 */
const pattern = (flags: string, ...parts: string[]) => new RegExp(parts.join(''), flags);
const either = (words: string) => `(?:${words.trim().split(/\s+/).join('|')})`;

const DOMAIN = String.raw`[\p{L}\p{N}-]{1,63}`;
const GAP = String.raw`[ \t]`;

/** Close to the sign anything counts as a domain; with spaces around it, only one with a dot. */
export const EMAIL = pattern(
  'giu',
  String.raw`[^\s@<>"'(),;:\\[\]]{1,64}`,
  String.raw`(?:(?:@|＠|%40)${DOMAIN}(?:\.${DOMAIN}){0,8}`,
  String.raw`|${GAP}{0,2}(?:@|＠|\(at\)|\[at\])${GAP}{0,2}${DOMAIN}(?:\.${DOMAIN}){1,8})`,
);
/** What is left of an address whose local part was quoted or broken up. */
export const BARE_DOMAIN = pattern(
  'giu',
  String.raw`["'([{]?@${GAP}{0,2}${DOMAIN}(?:\.${DOMAIN}){1,8}`,
);
export const HANDLE = /(^|[\s(,;])@[a-z0-9_.]{2,30}(?![\p{L}\p{N}@])/giu;

export const QUERY = /\b([a-z][a-z0-9+.-]{1,15}:\/\/[^\s?#]{1,2000})[?#][^\s]{0,4000}/gi;
export const LOOSE_QUERY = /(^|\s)(\/[^\s?#]{0,2000})[?#][^\s]{0,4000}/g;
/** "#email=…", "?q=…" wherever they stand: a name, the sign of equality, a value. */
export const NAMED_QUERY = /[?#][\p{L}_][\p{L}\p{N}_.[\]-]{0,60}=[^\s]{0,4000}/gu;
export const URL_LOGIN = /(:\/\/)[^\s/@]{1,256}@/g;

const JOINT = String.raw`[ \t./()\u00a0\u2009\u202f‐‑–-]`;
/**
 * A random id of a machine, whose digits are nobody's telephone or card: one UUID in forty begins
 * with eight of them. @see RFC 9562, section 4.
 */
export const UUID = pattern(
  'iu',
  String.raw`(?<![\p{L}\p{N}-])([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-`,
  String.raw`[0-9a-f]{12})(?![\p{L}\p{N}-])`,
);
/** Six digits or more, however joined, that do not continue a word, a path or a version. */
export const DIGITS = pattern(
  'gu',
  String.raw`(?<![\p{L}\p{N}_.:/-])(?:\+|00)?[(]?\d`,
  String.raw`(?:${JOINT}{0,3}\d){5,24}(?![\p{L}\p{N}_])`,
);
/**
 * Telephone numbers glued to words: begun by a plus, by a zero, or grouped as Americans do. Random
 * ids in hexadecimal digits are none.
 */
export const GLUED_PHONE = pattern(
  'gu',
  String.raw`\+\d(?:${JOINT}{0,2}\d){6,14}(?!\p{N})`,
  String.raw`|(?<![\p{N}.-])0\d{8,14}(?![\p{N}a-f_-])`,
  String.raw`|(?<![\p{N}.-])0\d{1,5}(?:[ \t/-]\d{2,9}){1,4}(?!\p{N})`,
  String.raw`|(?<![\p{N}.])[(]?\d{3}[)]?[ .-]?\d{3}[.-]\d{4}(?!\p{N})`,
);
/** Thirteen digits or more, however spaced: a card number may hide anywhere in such a run. */
export const CARD_RUN = /\d(?:[ \t._/\u00a0\u2009\u202f‐‑–-]{0,2}\d){12,60}/g;
/** In groups of four the last may be one character; a short word behind it looks like a group. */
export const IBAN = /\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{2,4}){3,8}(?:[ -][a-z0-9])?\b/gi;
const BYTE = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const GROUPS = '[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}';
/** Addresses of machines, which are of people: dotted, or in groups of hexadecimal digits. */
export const IP = pattern(
  'giu',
  String.raw`(?<![\p{N}.])${BYTE}(?:\.${BYTE}){3}(?!\p{N}|\.\d)`,
  String.raw`|(?<![\p{L}\p{N}:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\p{L}\p{N}:])`,
  String.raw`|(?<![\p{L}\p{N}:])(?=[0-9a-f:]{0,40}\d)`,
  String.raw`(?:${GROUPS})?::(?:${GROUPS})?(?![\p{L}\p{N}:])`,
);
export const NATIONAL_ID = /(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])/g;
export const COORDINATES = /-?\d{1,3}\.\d{3,15}[ \t]{0,2}[,;][ \t]{0,2}-?\d{1,3}\.\d{3,15}/g;

const STREET_ENDS = either(`street st avenue ave road rd boulevard blvd lane ln drive dr court ct
  square sq terrace way place pl parkway pkwy highway hwy close crescent`);
const STREET_TAILS = either(String.raw`stra(?:ß|ss)e str\. weg gasse platz allee ufer damm straat
  laan gatan vej`);
const STREET_STARTS = either('rue avenue boulevard via viale piazza calle avenida plaza rua');
const LETTERS = String.raw`[\p{L}'-]{2,30}`;

/** "221b Baker Street", "Hauptstraße 12", "12 rue de Rivoli", "P.O. Box 7". */
export const STREETS: readonly RegExp[] = [
  pattern(
    'giu',
    String.raw`\b\d{1,5}[a-z]?,?${GAP}{1,3}(?:[\p{L}'.-]{1,30}${GAP}{1,3}){1,4}`,
    String.raw`${STREET_ENDS}\b\.?`,
  ),
  pattern(
    'giu',
    String.raw`[\p{L}.'-]{0,40}${STREET_TAILS}${GAP}{1,3}\d{1,4}[a-z]?(?![\p{L}\p{N}])`,
  ),
  pattern(
    'giu',
    String.raw`\b(?:\d{1,4},?${GAP}{1,3})?${STREET_STARTS}${GAP}{1,3}`,
    `(?:d[aeiou]s?|del?|della|des|du|la|le|l')?${GAP}{0,3}`,
    String.raw`${LETTERS}(?:${GAP}{1,3}${LETTERS}){0,3},?${GAP}{0,3}\d{0,4}(?![\p{L}\p{N}])`,
  ),
  /\b(?:p\.?[ \t]?o\.?[ \t]?box|postfach)[ \t]{1,3}\d{1,8}/gi,
];
export const STREET_WORD = pattern(
  'iu',
  String.raw`\b(?:${STREET_ENDS}|${STREET_STARTS})\b|${STREET_TAILS}|box|postfach`,
);

const CAPITAL_NAMES = String.raw`${GAP}{1,2}\p{Lu}[\p{L}'-]{1,30}(?:${GAP}{1,2}\p{Lu}[\p{L}'-]{1,30})`;
const HONORIFICS = either(`[Mm]r [Mm]rs [Mm]s [Mm]iss [Mm]x [Dd]r [Pp]rof [Hh]err [Ff]rau
  [Mm]onsieur [Mm]adame [Ss]eñora? [Ss]ig(?:nora?)?`);
const I_AM = [
  '[Mm]y name is',
  '[Nn]ame:',
  'I am called',
  '[Ii]ch hei(?:ß|ss)e',
  '[Mm]ein [Nn]ame ist',
  "[Jj]e m'appelle",
  '[Mm]e llamo',
].join('|');

export const NAMES: readonly RegExp[] = [
  pattern('gu', String.raw`\b${HONORIFICS}\.?${CAPITAL_NAMES}{0,2}`),
  pattern(
    'gu',
    String.raw`\b(?:${I_AM})${GAP}{1,3}[\p{L}'-]{1,30}`,
    String.raw`(?:${GAP}{1,2}\p{Lu}[\p{L}'-]{1,30}){0,2}`,
  ),
];

/** Tokens of well-known shapes, private keys, and what stands after "password=". */
export const CREDENTIAL = pattern(
  'gi',
  [
    String.raw`\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{0,2000}`,
    String.raw`\b(?:bearer|basic)${GAP}{1,3}[\w+/=.~-]{12,4000}`,
    // A digit in it, or every word that begins with these letters would be one.
    String.raw`\b${either('sk pk rk ghp gho ghs xox[abp] glpat npm whsec')}[-_](?=[\w-]{0,256}\d)[\w-]{12,256}`,
    String.raw`\b${either('AKIA AIza')}(?=[\w-]{0,64}\d)[\w-]{12,256}`,
    '-----BEGIN [A-Z ]{3,40}-----[^-]{0,8000}(?:-----END [A-Z ]{3,40}-----)?',
    String.raw`\b${either('password passwd pwd secret token api[-_]?key')}${GAP}{0,3}[=:]${GAP}{0,3}\S{3,256}`,
  ].join('|'),
);

/** One scan that decides whether any pattern is worth running. */
export const SUSPECT = pattern(
  'iu',
  // Escapes and what nobody sees are suspect by themselves: see `reveal`.
  String.raw`[@＠?#%&\\\p{N}\p{Cf}\u3002\uff61\p{DI}]`,
  String.raw`|::|-----|\(at\)|\[at\]|`,
  either('passw pwd secret token api.?key bearer basic xox glpat whsec eyJ AKIA AIza'),
  String.raw`|\b`,
  either(`mr mrs ms miss mx dr prof herr frau monsieur madame se.or sig name called hei llamo appelle
    rue via calle rua piazza plaza aveni avenue boulevard`),
);
