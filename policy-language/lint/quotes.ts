/** Rules that hold the quotes against the prose: each on its line, each line spoken for. */

import { listOf } from '#language/one-or-more';
import type { Policy } from '#language/policy';
import { placeholderIn, unfilledIn } from '#language/unfilled';
import { linesOf, plain } from './prose.ts';
import type { Rule } from './rule.ts';

export const quotesStandOnTheirLines: Rule = function* ({ rows, prose }) {
  if (!prose.whole) return;
  let misquoted = 0;
  for (const { row, index } of rows) {
    const { id, says, line } = row;
    const cited = linesOf(line).map((number) => prose.lines[number - 1] ?? '');
    // Most quotes are exact, and need not be made plain to be found.
    if (cited.some((text) => text.includes(says))) continue;
    if (plain(cited.join(' ')).includes(plain(says))) continue;
    yield {
      code: 'quote/not-on-line',
      message: `The quote of ${id} does not stand on line ${line}.`,
      path: ['promises', index, 'says'],
      promises: [id],
      ...lessonOf({ lines: ++misquoted > SOUGHT_MAX ? [] : prose.lines, says, cited: cited[0] }),
    };
  }
};

/** Of so many quotes it is said where they stand: each is a look at every line. */
const SOUGHT_MAX = 20;

type Misquoted = { lines: readonly string[]; says: string; cited: string | undefined };

/** Another line that has the words is what was meant; else the words of this one are. */
function lessonOf({ lines, says, cited }: Misquoted) {
  const words = plain(says);
  const at = words === '' ? -1 : lines.findIndex((text) => plain(text).includes(words));
  if (at >= 0) return { expected: 'the line that has these words', example: `line: ${at + 1}` };
  if (!cited) return { expected: 'a line of the prose, and words of it' };
  const stands = cited.slice(0, 120);
  return { expected: `words of: ${stands}`, example: `says: ${JSON.stringify(plain(stands))}` };
}

export const proseIsUtf8: Rule = function* ({ prose }) {
  const at = prose.lines.findIndex((text) => text.includes('\ufffd'));
  if (at === -1) return;
  yield {
    code: 'prose/not-utf8',
    message: `Line ${at + 1} of the prose holds bytes that are not UTF-8.`,
    path: ['prose'],
    expected: 'the prose, saved as UTF-8',
    example: 'Café',
  };
};

export const everyLineIsSpokenFor: Rule = function* ({ policy, prose }) {
  if (!prose.whole) return;
  const silent = new Set(linesOf(policy['silent-lines'] ?? 0));
  let line = 0;
  for (const text of prose.lines) {
    line += 1;
    if (silent.has(line) || prose.rowsAt(line).length > 0 || text.trim() === '') continue;
    yield {
      code: 'prose/line-not-covered',
      message: `No promise quotes line ${line}, and silent-lines does not list it.`,
      path: ['promises'],
      hit: { line, text, match: text, groups: [] },
      expected: 'a promise that quotes it, or its number under silent-lines',
      example: `silent-lines: "${[policy['silent-lines'] ?? [], line].flat().join(', ')}"`,
    };
  }
};

export const contactsAreDeclared: Rule = function* ({ policy, prose }) {
  const declared = new Set(emailsIn(JSON.stringify(policy.controller)));
  for (const email of emailsIn(JSON.stringify(policy.statements ?? {}))) declared.add(email);
  for (const hit of prose.find('@', EMAIL)) {
    for (const email of emailsIn(hit.text)) {
      if (declared.has(email) || /@example\.(com|org|net)$/.test(email)) continue;
      yield {
        code: 'prose/contact-undeclared',
        message: `${email} is published, but the document does not name it.`,
        path: ['controller'],
        hit: { ...hit, match: email },
        expected: 'the same address under controller.contacts',
      };
    }
  }
};

const EMAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/;
const EMAILS = new RegExp(EMAIL, 'g');

const emailsIn = (text: string) => (text.match(EMAILS) ?? []).map((email) => email.toLowerCase());

export const nothingIsLeftToFillIn: Rule = function* ({ policy, prose }) {
  let line = 0;
  for (const text of prose.lines) {
    line += 1;
    const match = placeholderIn(text);
    if (match === undefined) continue;
    yield {
      code: 'placeholder/unfilled',
      message: `"${match}" was never filled in; this text cannot be published.`,
      hit: { line, text, match, groups: [] },
      expected: 'the real value',
      example: filledIn(match),
    };
  }
  const unfilled = unfilledIn(policy);
  const bound = unfilled.length > 0 ? promisesByPath(policy) : new Map<string, string[]>();
  for (const { match, path } of unfilled) {
    yield {
      code: 'placeholder/unfilled',
      message: `"${match}" was never filled in.`,
      path,
      expected: 'the real value',
      example: filledIn(match),
      promises: bound.get(path.join('.')) ?? [],
    };
  }
};

/** The promises that point at a value of the document, by its path. */
function promisesByPath(policy: Policy): Map<string, string[]> {
  const byPath = new Map<string, string[]>();
  for (const { id, config } of policy.promises) {
    for (const path of new Set(listOf(config))) {
      const ids = byPath.get(path);
      if (ids) ids.push(id);
      else byPath.set(path, [id]);
    }
  }
  return byPath;
}

const FILLED: readonly (readonly [RegExp, string])[] = [
  [/mail|contact/i, 'privacy@example.com'],
  [/date/i, '2026-01-01'],
  [/phone|number/i, '+49 30 901820'],
  [/address|street|city/i, '1 Example Street, 10115 Berlin'],
];

/** What a value in its place could look like. */
const filledIn = (placeholder: string): string =>
  FILLED.find(([pattern]) => pattern.test(placeholder))?.[1] ?? 'Example Ltd';
