/**
 * The linter: finds what cannot all be true in a policy, before anyone is promised it.
 *
 * Each rule is a pure question about the document and its published prose. A finding stays open
 * until the document records a decision about it; the seeds of a policy are never rewritten.
 */
import type { Finding } from '#language/finding';
import type { Policy } from '#language/policy';
import { sourceOf } from '#language/read';
import { ambiguitiesOfOperation, ambiguitiesOfPeople } from './ambiguities.ts';
import { codes } from './codes.ts';
import { contradictionsOfStorage, contradictionsOfUse } from './contradictions.ts';
import { falseClaims } from './false-claims.ts';
import { numbersAgree } from './numbers.ts';
import {
  configExists,
  controlsAreForPromises,
  controlsTakeTheirParameters,
  promisesAreBound,
} from './promises.ts';
import { Prose } from './prose.ts';
import {
  contactsAreDeclared,
  everyLineIsSpokenFor,
  nothingIsLeftToFillIn,
  proseIsUtf8,
  quotesStandOnTheirLines,
} from './quotes.ts';
import { namesAreDeclared } from './references.ts';
import { applyResolutions, decisionAbout } from './resolutions.ts';
import { limitsBindFieldByField, oneLengthIsStated, tiersAddUp } from './retention-limits.ts';
import type { Raised, Rule } from './rule.ts';
import * as structure from './structure.ts';
import {
  everyEnrichmentHasASwitch,
  rowsMatchTheirHeader,
  siblingsKeepTheirNames,
} from './tables.ts';
import * as vagueness from './vagueness.ts';

export { codes, type FindingCode } from './codes.ts';

const RULES: readonly Rule[] = [
  ...Object.values(structure),
  namesAreDeclared,
  promisesAreBound,
  controlsTakeTheirParameters,
  configExists,
  controlsAreForPromises,
  numbersAgree,
  proseIsUtf8,
  quotesStandOnTheirLines,
  everyLineIsSpokenFor,
  contactsAreDeclared,
  nothingIsLeftToFillIn,
  tiersAddUp,
  limitsBindFieldByField,
  oneLengthIsStated,
  ...Object.values(vagueness),
  rowsMatchTheirHeader,
  everyEnrichmentHasASwitch,
  siblingsKeepTheirNames,
  falseClaims,
  contradictionsOfStorage,
  contradictionsOfUse,
  ambiguitiesOfPeople,
  ambiguitiesOfOperation,
];

/**
 * Everything that is wrong, doubtful or worth knowing, in the order of the document.
 *
 * @param prose the sentences as published; without them the quotes of the promises stand in, and
 *              nothing can be said about lines that no promise quotes.
 */
export function lint(policy: Policy, prose?: string): Finding[] {
  const rows = policy.promises.map((row, index) => ({ row, index }));
  const context = { policy, rows, prose: new Prose(policy, prose) };
  const rowIndex = new Map(policy.promises.map(({ id }, index) => [id, index]));
  const place = placer(policy, context.prose, rowIndex);
  const raised: Finding[] = [];
  for (const rule of RULES) for (const one of rule(context)) raised.push(place(one));
  const entries = policy.resolves ?? [];
  const { findings, unused } = applyResolutions(raised, entries);
  for (const index of unused) {
    const message = `No finding "${entries[index]?.finding}" is left for this decision to settle.`;
    findings.push(place({ code: 'resolution/unused', message, path: ['resolves', index] }));
  }
  return findings.sort((a, b) => a.line - b.line || a.column - b.column || order(a.code, b.code));
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

type Lesson = Pick<Raised, 'code'> & {
  readonly promises: readonly string[];
  readonly expected: string | undefined;
  readonly example: string | undefined;
};

/** An error shows what would be right; where that is a sentence to think about, the decision. */
function taught({ code, promises, expected, example }: Lesson, policy: Policy) {
  const { severity, means } = codes[code];
  const lesson = severity === 'error' ? (expected ?? means) : expected;
  const shown =
    severity === 'error' ? (example ?? decisionAbout({ code, promises, lesson, policy })) : example;
  return {
    ...(lesson !== undefined && { expected: lesson }),
    ...(shown !== undefined && { example: shown }),
  };
}

/** Puts a raised finding where an editor should jump: its path, or the promise that quotes it. */
function placer(policy: Policy, prose: Prose, rowIndex: ReadonlyMap<string, number>) {
  const source = sourceOf(policy);
  return ({ code, message, path, hit, promises, expected, example }: Raised): Finding => {
    const about = promises ?? (hit ? prose.promisesAt(hit) : []);
    const row = about[0] === undefined ? undefined : rowIndex.get(about[0]);
    const { line, column } = source.place(path ?? (row === undefined ? [] : ['promises', row]));
    return {
      code,
      severity: codes[code].severity,
      message,
      ...taught({ code, promises: about, expected, example }, policy),
      file: source.file,
      line,
      column,
      ...(hit && { quote: { line: hit.line, text: hit.text.trim().slice(0, 240) } }),
      ...(about.length > 0 && { promises: [...new Set(about)] }),
      state: 'open',
    };
  };
}
