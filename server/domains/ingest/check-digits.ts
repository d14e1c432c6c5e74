/**
 * Arithmetic that tells numbers of people (cards, accounts, telephones) from numbers of machines.
 */

const CARD_DIGITS_MIN = 13;
const CARD_DIGITS_MAX = 19;

/**
 * Whether some run of 13 to 19 digits inside `text` passes the Luhn check and starts as cards do.
 *
 * Every start and length is tried, so that digits glued before or after a card number do not hide
 * it; the caller bounds the run, hence the work, to about 60 digits.
 *
 * @see ISO/IEC 7812-1, annex B.
 */
export function hasLuhn(text: string): boolean {
  const digits: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) - 48;
    if (code >= 0 && code <= 9) digits.push(code);
  }
  for (let from = 0; from + CARD_DIGITS_MIN <= digits.length; from++) {
    const first = digits[from] ?? 0;
    if (first < 2 || first > 6) continue;
    const longest = Math.min(CARD_DIGITS_MAX, digits.length - from);
    for (let length = CARD_DIGITS_MIN; length <= longest; length++) {
      if (length !== digits.length && !ISSUER_LENGTHS.has(length)) continue;
      if (passesLuhn(digits, from, length)) return true;
    }
  }
  return false;
}

/**
 * Inside a longer run only the usual lengths are tried, or a tenth of all long numbers would go.
 */
const ISSUER_LENGTHS = new Set([13, 14, 15, 16, 19]);

function passesLuhn(digits: readonly number[], from: number, length: number): boolean {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const digit = digits[from + length - 1 - i] ?? 0;
    const weighted = i % 2 === 1 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

/** @see ISO 13616-1: the check digits make the rearranged number equal to 1 modulo 97. */
export function isIban(text: string): boolean {
  const plain = text.replace(/[ -]/g, '').toUpperCase();
  if (plain.length < 15 || plain.length > 34) return false;
  const turned = plain.slice(4) + plain.slice(0, 4);
  let rest = 0;
  for (let i = 0; i < turned.length; i++) {
    const code = turned.charCodeAt(i);
    const value = code >= 65 ? code - 55 : code - 48;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const DATE_OR_TIME =
  /^(?:19|20)\d{2}[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])(?:[ \t]\d{0,6})?$/;
const EPOCH_SECONDS = /^1[5-9]\d{8}$/;
const EPOCH_MILLISECONDS = /^1[5-9]\d{11}$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const DECIMAL = /^\d+\.\d+$/;

/**
 * Whether a run of digits is plainly not a telephone number: a date, a time stamp, a short count.
 */
export function digitsThatAreNot(text: string): boolean {
  const digits = text.replace(/\D/g, '').length;
  if (digits < 7 || digits > 18) return true;
  if (DATE_OR_TIME.test(text) || EPOCH_SECONDS.test(text) || EPOCH_MILLISECONDS.test(text)) {
    return true;
  }
  if (IPV4.test(text) || DECIMAL.test(text)) return true;
  // Seven to nine digits with nothing between them are counts and order numbers far more often.
  return digits < 10 && /^\d+$/.test(text);
}
