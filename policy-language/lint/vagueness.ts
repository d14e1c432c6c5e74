/** Words where a number belongs, and numbers that several sentences state differently. */
import type { Hit } from './prose.ts';
import type { Raised, Rule } from './rule.ts';

const VAGUE: readonly (readonly [string, RegExp])[] = [
  ['period', /\b(?:defined|limited|certain|reasonable) (?:period|length of time)\b/i],
  ['timeframe', /\breasonable time(?:frame)?\b/i],
  ['regular basis', /\bon a regular basis\b/i],
  ['periodically', /\bperiodically (?:purged|deleted|removed|reviewed|rotated|tested)\b/i],
];

export const quantitiesAreDefined: Rule = function* ({ prose }) {
  for (const [keyword, pattern] of VAGUE) {
    for (const hit of prose.find(keyword, pattern)) {
      yield {
        code: 'quantity/undefined',
        message: `"${hit.match}" promises a quantity without a number.`,
        hit,
        expected: 'a number in the document, printed beside the sentence',
        example: 'P90D',
      };
    }
  }
};

export const noiseHasAnAmount: Rule = function* ({ prose }) {
  const hit = prose.first('sensitivity', /\bsensitivity\s*=\s*[\d.]+/i);
  if (!hit || prose.has('epsilon', /epsilon/i) || prose.has('ε', /ε/)) return;
  yield {
    code: 'quantity/no-epsilon',
    message: 'Noise without epsilon protects nobody by any stated amount.',
    hit,
    expected: 'epsilon for a query and for a month, a secure source, refusal when it is spent',
    example: 'insights: { epsilon: { query: 0.1, month: 3 } }',
  };
};

const THRESHOLDS: readonly (readonly [string, RegExp])[] = [
  ['k =', /\bk\s*=\s*(\d+)/],
  ['minthreshold', /minThreshold:\s*(\d+)/],
  ['minusers', /minUsers:\s*(\d+)/],
  ['size', /\bsize\s*>=\s*(\d+)/],
];

export const oneThresholdProtects: Rule = function* ({ prose }) {
  const hits: Hit[] = THRESHOLDS.flatMap(([keyword, pattern]) => [...prose.find(keyword, pattern)]);
  const values = [...new Set(hits.map(({ groups }) => Number(groups[0])))].sort((a, b) => a - b);
  const [first] = hits;
  if (!first || values.length < 2) return;
  yield {
    code: 'ambiguity/thresholds-differ',
    message: `Groups of ${values.join(', ')} are each called large enough.`,
    hit: first,
    promises: hits.flatMap((hit) => prose.promisesAt(hit)),
    expected: 'a threshold for each kind of query; the largest wins when they are composed',
  };
};

type Section = {
  code: Raised['code'];
  what: string;
  expected: string;
  signs: readonly (readonly [string, RegExp])[];
};

const SECTIONS: readonly Section[] = [
  {
    code: 'section/missing-rights',
    what: 'what people may demand',
    expected: 'rights: access, erasure, portability, each with its time',
    signs: [
      ['right', /\b(?:your|subject|gdpr|exercise your) rights\b|right to/i],
      ['erasure', /\berasure\b/i],
    ],
  },
  {
    code: 'section/missing-contact',
    what: 'how to reach anyone',
    expected: 'controller.contacts with an address that answers',
    signs: [['@', /[\w.+-]+@[\w-]+\.\w+/]],
  },
  {
    code: 'section/missing-retention',
    what: 'how long data is kept, in numbers',
    expected: 'retain: a length for every kind of data',
    signs: [
      ['retention', /retention(?: period)?\b.*\|/i],
      ['days', /\b(?:logs?|events|data|backups)\b.*\b\d+ (?:days|years?)/i],
      ['retention', /retention\w*: '\d/i],
    ],
  },
  {
    code: 'section/missing-officer',
    what: 'a data protection officer',
    expected: 'controller.contacts.dpo',
    signs: [['officer', /\b(?:data protection|privacy) officer\b/i]],
  },
];

/** Asks the prose, since the document may have filled in what the published text leaves out. */
export const nothingIsMissing: Rule = function* ({ prose }) {
  if (!prose.whole) return;
  for (const { code, what, expected, signs } of SECTIONS) {
    if (signs.some(([keyword, pattern]) => prose.has(keyword, pattern))) continue;
    yield { code, message: `The published text does not say ${what}.`, path: ['prose'], expected };
  }
};
