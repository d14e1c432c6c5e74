/** The fast reader and the whole parser read every text alike, or the fast one steps aside. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOUND } from '#language/testing/documents';
import { readPlainStyle } from './plain-style.ts';
import { readAnyYaml } from './yaml.ts';

const policies = ['clanker', 'conducktr', 'workorders', 'magenta', 'loopkit'].map((service) =>
  readFileSync(new URL(`../../policies/${service}.yaml`, import.meta.url), 'utf8'),
);

function assertAlike(text: string): boolean {
  const fast = readPlainStyle(text);
  if (fast === undefined) return false;
  const { tree, problems } = readAnyYaml(text);
  assert.deepEqual(problems, [], 'the whole parser objects');
  assert.deepEqual(fast, tree);
  return true;
}

test('two readers agree on the sample, values and places', () => {
  assert.equal(assertAlike(SOUND), true);
});

test('two readers agree on the five policies and the fast one reads them all', () => {
  for (const text of policies) assert.equal(assertAlike(text), true);
});

const scrap = fc.oneof(
  fc.constantFrom(
    ...[
      'a: b',
      '- x',
      '- a: 1',
      '  ',
      '    ',
      '\n',
      ': ',
      '#',
      ' # note',
      '{ a: b, c: [d, e] }',
      '"q"',
      "'s'",
      'x:y',
      'null',
      'True',
      '~',
      '1.50',
      '007',
      '1e3',
      '-3',
      '+4',
      '-',
      '- -',
      '[',
      '{',
      '}',
      ',',
      '>-\n      folded\n      lines\n',
      '|',
      '&a',
      '*a',
      '!t',
      '? k',
      'a:',
      '"a": b',
      'http://x/#y',
      "it's",
      '2025-11-18',
      '.5',
      '5.',
      '@',
      '`',
      '%',
      "''",
      '""',
      'on',
      'ﬁ é',
      '{a: }',
      '{a}',
      '[a: b]',
      '[,]',
      'null: x',
      '{ a: "b" c }',
    ],
  ),
  fc.string({ maxLength: 6 }),
);

test('two readers agree on sound text with scraps pushed into it', () => {
  const lines =
    `${SOUND}more:\n  - a: 1\n    b: { c: d,\n      e: [f, "g"] }\n  - plain\nnote: >-\n  one\n  two\n`.split(
      '\n',
    );
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.nat(lines.length - 1),
      fc.nat(80),
      scrap,
      fc.boolean(),
      (index, column, piece, cut) => {
        const line = lines[index] ?? '';
        const spoilt = line.slice(0, column) + piece + (cut ? '' : line.slice(column));
        if (assertAlike(lines.with(index, spoilt).join('\n'))) accepted += 1;
      },
    ),
    { numRuns: 6000 },
  );
  assert.ok(accepted > 500, `only ${accepted} texts were read by both`);
});

test('two readers agree on documents made of scraps alone', () => {
  fc.assert(
    fc.property(
      fc.array(scrap, { maxLength: 12 }),
      fc.constantFrom('', ' ', '\n', '\n  '),
      (pieces, glue) => {
        assertAlike(pieces.join(glue));
        assertAlike(`a: ${pieces.join(glue)}`);
        assertAlike(`a:\n  - ${pieces.join(glue)}`);
      },
    ),
    { numRuns: 6000 },
  );
});
