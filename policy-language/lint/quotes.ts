/** Rules that hold the quotes against the prose: each on its line, each line spoken for. */

import { placeholderIn, unfilledIn } from '#language/unfilled';
import { linesOf, plain } from './prose.ts';
import type { Rule } from './rule.ts';

export const quotesStandOnTheirLines: Rule = function* ({ policy, prose }) {
  if (!prose.whole) return;
  for (const [index, { id, says, line }] of policy.promises.entries()) {
    const cited = linesOf(line).map((number) => prose.lines[number - 1] ?? '');
    // Most quotes are exact, and need not be made plain to be found.
    if (cited.some((text) => text.includes(says))) continue;
    if (plain(cited.join(' ')).includes(plain(says))) continue;
    yield {
      code: 'quote/not-on-line',
      message: `The quote of ${id} does not stand on line ${line}.`,
      path: ['promises', index, 'says'],
      promises: [id],
      ...(cited[0] && { expected: `words of: ${cited[0].slice(0, 120)}` }),
    };
  }
};

export const everyLineIsSpokenFor: Rule = function* ({ policy, prose }) {
  if (!prose.whole) return;
  const silent = new Set(linesOf(policy['silent-lines'] ?? 0));
  for (const [index, text] of prose.lines.entries()) {
    const line = index + 1;
    if (text.trim() === '' || silent.has(line) || prose.rowsAt(line).length > 0) continue;
    yield {
      code: 'prose/line-not-covered',
      message: `No promise quotes line ${line}, and silent-lines does not list it.`,
      path: ['promises'],
      hit: { line, text, match: text, groups: [] },
    };
  }
};

export const contactsAreDeclared: Rule = function* ({ policy, prose }) {
  const declared = new Set(emailsIn(JSON.stringify(policy.controller)));
  for (const email of emailsIn(JSON.stringify(policy.statements ?? {}))) declared.add(email);
  for (const [index, text] of prose.lines.entries()) {
    if (!text.includes('@')) continue;
    for (const email of emailsIn(text)) {
      if (declared.has(email) || /@example\.(com|org|net)$/.test(email)) continue;
      yield {
        code: 'prose/contact-undeclared',
        message: `${email} is published, but the document does not name it.`,
        path: ['controller'],
        hit: { line: index + 1, text, match: email, groups: [] },
        expected: 'the same address under controller.contacts',
      };
    }
  }
};

const emailsIn = (text: string) =>
  (text.match(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g) ?? []).map((e) =>
    e.toLowerCase(),
  );

export const nothingIsLeftToFillIn: Rule = function* ({ policy, prose }) {
  for (const [index, text] of prose.lines.entries()) {
    const match = placeholderIn(text);
    if (match === undefined) continue;
    yield {
      code: 'placeholder/unfilled',
      message: `"${match}" was never filled in; this text cannot be published.`,
      hit: { line: index + 1, text, match, groups: [] },
      expected: 'the real value',
    };
  }
  for (const { match, path } of unfilledIn(policy)) {
    const named = path.join('.');
    const about = policy.promises.filter(({ config }) => [config ?? []].flat().includes(named));
    yield {
      code: 'placeholder/unfilled',
      message: `"${match}" was never filled in.`,
      path: [...path],
      expected: 'the real value',
      promises: about.map(({ id }) => id),
    };
  }
};
