/**
 * Refuses a hostile text before any parser sees it.
 *
 * Parsers of YAML recurse, so depth is measured here with a loop: ten megabytes of `[` would
 * otherwise end in a stack overflow, or in seconds of work.
 */
import type { TextProblem } from './tree.ts';

/** The largest of the five real policies is a fiftieth of this. */
export const TEXT_LENGTH_MAX = 4 * 1024 * 1024;
export const DEPTH_MAX = 40;
const INDENT_MAX = 200;

export function guard(text: string): TextProblem | undefined {
  if (text.length > TEXT_LENGTH_MAX) {
    return {
      code: 'document/too-large',
      message: `The document has ${text.length} characters; the limit is ${TEXT_LENGTH_MAX}.`,
      at: 0,
      expected: 'a document of at most 4 MB',
    };
  }
  const control = text.search(/[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ud800-\udfff\ue000-\ufffd]/u);
  if (control !== -1) {
    return {
      code: 'document/control-character',
      message: 'The text holds a character that YAML does not allow.',
      at: control,
      expected: 'printable text in UTF-8',
    };
  }
  return flowDepth(text) ?? blockDepth(text);
}

function tooDeep(at: number): TextProblem {
  return {
    code: 'document/too-deep',
    message: `Values are nested more than ${DEPTH_MAX} deep here.`,
    at,
    expected: `at most ${DEPTH_MAX} levels`,
  };
}

/** Counts brackets without minding quotes: a sound text never comes near the limit either way. */
function flowDepth(text: string): TextProblem | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > DEPTH_MAX) return tooDeep(at);
    } else if (code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1);
    else if (code === 0x0a && depth > 0 && !/[\s,[{}\]#]/.test(text[at + 1] ?? ' ')) depth = 0;
  }
  return undefined;
}

/** Looks at the head of each line: its indent, and how many `- `, `? ` or `: ` follow each other. */
function blockDepth(text: string): TextProblem | undefined {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const stop = end === -1 ? text.length : end;
    let marks = 0;
    let cursor = at;
    for (; cursor < stop; cursor++) {
      const character = text[cursor];
      if (character === '-' || character === '?' || character === ':') {
        if (!/\s/.test(text[cursor + 1] ?? ' ')) break;
        marks += 1;
      } else if (character !== ' ' && character !== '\t') break;
    }
    if (marks > DEPTH_MAX || cursor - at > INDENT_MAX) return tooDeep(cursor - 1);
    at = stop + 1;
  }
  return undefined;
}
