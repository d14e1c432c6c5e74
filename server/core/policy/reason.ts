import { policyProblem } from './errors.ts';

/** Why policies change, as policies publish it. */
const KINDS = ['regulation', 'features', 'security', 'feedback', 'other'] as const;

const SHAPE = new RegExp(`^(${KINDS.join('|')}):\\s*(.*)$`, 's');
const WORDS_MIN = 3;

/**
 * The reason of a change as it is recorded: a kind, and what it cites (`regulation: GDPR Art. 13`).
 * Words without a kind are recorded under `other`.
 *
 * @throws Problem policy-reason-missing: nobody changes a policy without saying why.
 */
export function reasonOf(written: string | undefined): string {
  const text = (written ?? '').trim();
  const [, kind = 'other', words = text] = SHAPE.exec(text) ?? [];
  if (words.trim().length < WORDS_MIN)
    throw policyProblem(
      'policy-reason-missing',
      `Say why, in ${WORDS_MIN} characters or more: ${KINDS.join(', ')}, and what it cites.`,
    );
  return `${kind}: ${words.trim()}`;
}
