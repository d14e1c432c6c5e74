/** Scalars without quotes, by the core schema of YAML 1.2. */

const INDICATOR = /^[?:,[\]{}#&*!|>'"%@`]|^-(?:$|[ ,[\]{}])/;
const WORD = /^[A-Za-z]/;
const SPECIAL = /^(?:null|true|false)$/i;
const INTEGER = /^[-+]?\d+$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$/i;
/** Octal, hexadecimal, infinity, not a number: legal, rare, and read by the whole parser. */
const RARE = /^(?:0o[0-7]+|0x[\da-f]+|[-+]?\.inf|\.nan|~)$/i;

/** The value of a plain scalar on one line; undefined when it is none or an unusual one. */
export function plainScalar(words: string): string | number | boolean | null | undefined {
  if (words === '' || INDICATOR.test(words)) return undefined;
  if (WORD.test(words)) return SPECIAL.test(words) ? special(words) : words;
  if (RARE.test(words)) return undefined;
  if (!INTEGER.test(words) && !FLOAT.test(words)) return words;
  const value = Number(words);
  return Number.isFinite(value) ? value : undefined;
}

function special(words: string): boolean | null | string {
  if (/^(?:true|True|TRUE)$/.test(words)) return true;
  if (/^(?:false|False|FALSE)$/.test(words)) return false;
  return /^(?:null|Null|NULL)$/.test(words) ? null : words;
}
