/** Refuses a text that is too large or no text at all, before any parser sees it. */
import type { TextProblem } from './tree.ts';

/** The largest of the five real policies is a fiftieth of this. */
export const TEXT_LENGTH_MAX = 4 * 1024 * 1024;
/** Levels of brackets and indents together. */
export const DEPTH_MAX = 40;

const REFUSED = /[^\t\n\r\x20-\x7e\x85\xa0-\ufffd]/;
/** Knows characters of two code units from halves of them: five times slower, and rarely needed. */
const REFUSED_OR_HALF = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

export function guard(text: string): TextProblem | undefined {
  if (text.length > TEXT_LENGTH_MAX) {
    return {
      code: 'document/too-large',
      message: `The document has ${text.length} characters; the limit is ${TEXT_LENGTH_MAX}.`,
      at: 0,
    };
  }
  const control = text.search(text.isWellFormed() ? REFUSED : REFUSED_OR_HALF);
  if (control !== -1) {
    return {
      code: 'document/control-character',
      message: 'The text holds a character that YAML does not allow.',
      at: control,
    };
  }
  const lost = text.indexOf('\ufffd');
  if (lost !== -1) {
    return {
      code: 'document/not-utf8',
      message: 'The bytes here are not UTF-8, so nobody can tell which character was meant.',
      at: lost,
    };
  }
  return undefined;
}
