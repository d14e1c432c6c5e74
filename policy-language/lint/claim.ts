/** A rule as data: words that claim something, and what beside them makes the claim impossible. */
import type { Policy } from '#language/policy';
import type { FindingCode } from './codes.ts';
import type { Prose } from './prose.ts';
import type { Raised, Rule } from './rule.ts';

/** A keyword in small letters, and the pattern that decides on the lines that hold it. */
export type Words = readonly [keyword: string, pattern: RegExp];

export type Claim = {
  readonly code: FindingCode;
  /** The words that the finding stands on. */
  readonly says: Words;
  /** Other words that must stand somewhere in the same prose. */
  readonly beside?: readonly Words[];
  /** Words that take the claim back. */
  readonly unless?: readonly Words[];
  /** What must hold in the document. */
  readonly when?: (policy: Policy) => boolean;
  /** One finding on every line that says it; otherwise the first line speaks for all. */
  readonly everywhere?: true;
  readonly message: string;
  /** What a decision has to settle. */
  readonly decide: string;
};

/** Makes one rule of a table of claims. */
export function claims(table: readonly Claim[]): Rule {
  return function* ({ policy, prose }) {
    for (const claim of table) yield* judge(claim, policy, prose);
  };
}

function* judge(claim: Claim, policy: Policy, prose: Prose): Generator<Raised> {
  const { says, beside = [], unless = [], when } = claim;
  const first = prose.first(...says);
  if (!first || when?.(policy) === false) return;
  if (!beside.every((words) => prose.has(...words))) return;
  if (unless.some((words) => prose.has(...words))) return;
  const hits = claim.everywhere ? prose.find(...says) : [first];
  for (const hit of hits) {
    yield { code: claim.code, message: claim.message, expected: claim.decide, hit };
  }
}
