/**
 * Text as a person reads it. What a browser, a form or a sender with intent wraps around an address
 * (escapes, invisible characters, other scripts' digits and stops) hides it from every pattern and
 * from no reader.
 */

/** Format characters, fillers and variation selectors: nobody sees them. */
const INVISIBLE = /\p{Cf}|\p{Default_Ignorable_Code_Point}/gu;
const FULL_STOPS = /[\u3002\uff61]/g;
const OTHER_DIGITS = /(?![0-9])\p{Nd}/gu;

/** `%2540` is `%40` once more escaped, however often that was done. */
const ESCAPED_ESCAPE = /%(?:25){1,64}(?=[0-9a-f]{2})/gi;
const PERCENT = /(?:%[0-9a-f]{2}){1,4096}/gi;
const PERCENT_ASCII = /%([2-7][0-9a-f])/gi;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(commat|period|plus|num|quest|amp|colon|sol));?/gi;
const SCRIPT_ESCAPE = /\\(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|x([0-9a-f]{2}))/gi;

const NAMED: Readonly<Record<string, string>> = {
  commat: '@',
  period: '.',
  plus: '+',
  num: '#',
  quest: '?',
  amp: '&',
  colon: ':',
  sol: '/',
};
/** Text in text in text: a form's value in a page's address in a log line. */
const LAYERS_MAX = 3;

const characterOf = (code: number) =>
  code > 0 && code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff)
    ? String.fromCodePoint(code)
    : '';

function percentDecoded(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run.replace(PERCENT_ASCII, (_, hex: string) => characterOf(Number.parseInt(hex, 16)));
  }
}

function unwrapped(text: string): string {
  let plain = text;
  if (plain.includes('%'))
    plain = plain.replace(ESCAPED_ESCAPE, '%').replace(PERCENT, percentDecoded);
  if (plain.includes('&')) {
    plain = plain.replace(ENTITY, (_, decimal?: string, hex?: string, name?: string) =>
      name
        ? (NAMED[name.toLowerCase()] ?? '')
        : characterOf(decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16)),
    );
  }
  if (plain.includes('\\')) {
    plain = plain.replace(SCRIPT_ESCAPE, (_, ...hex: (string | undefined)[]) =>
      characterOf(Number.parseInt(hex[0] ?? hex[1] ?? hex[2] ?? '', 16)),
    );
  }
  return plain;
}

/** Digits of every script stand in tens, in order; the one that no digit precedes is the zero. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value);
}

/** @param text at most 16,384 characters. */
export function reveal(text: string): string {
  let plain = text;
  for (let layer = 0; layer < LAYERS_MAX; layer++) {
    const next = unwrapped(plain);
    if (next === plain) break;
    plain = next;
  }
  return plain
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(FULL_STOPS, '.')
    .replace(OTHER_DIGITS, asciiDigit);
}
