/** What the page says of itself: when it was made, and what the latest checks found. */
import type { Policy } from '#language/policy';
import { unfilledIn } from '#language/unfilled';
import { type Block, heading, type PromiseState, text } from './page.ts';
import { shown } from './words.ts';

/** The state of each promise by id, from evidence; a missing one is printed as a gap. */
export type States = Readonly<Record<string, PromiseState>>;

/** What the running service knows and the document does not. */
export type Standing = {
  readonly revision: number;
  /** ISO 8601: when this revision came into force. */
  readonly appliedAt: string;
  /** ISO 8601: the latest finding; null before the first. */
  readonly lookedAt: string | null;
  /** The version of the program that runs. */
  readonly build: string;
};

/** A page with places that nobody filled in is published by nobody: it says so itself. */
export function draftOf(policy: Policy): Block[] {
  const places = [...new Set(unfilledIn(policy).map(({ match }) => match))];
  if (places.length === 0) return [];
  const told = `Draft, not published. Still to be filled in: ${places.join(', ')}.`;
  return [text({ text: told, at: 'page.draft' })];
}

export type Counts = Record<PromiseState, number>;

export function countsOf(rows: Policy['promises'], states: States): Counts {
  const counts = { kept: 0, broken: 0, gap: 0, attested: 0 };
  for (const { id } of rows) counts[states[id] ?? 'gap'] += 1;
  return counts;
}

/** Active is only what was seen to be: nothing broken, and something kept. */
const wordOf = ({ kept, broken }: Counts) =>
  broken > 0 ? 'not active' : kept > 0 ? 'active' : 'not looked at yet';

const figuresOf = ({ kept, broken, gap, attested }: Counts) =>
  `${kept} kept, ${attested} attested, ${gap} gaps, ${broken} broken`;

export function bannerOf(policy: Policy, states: States): Block[] {
  const counts = countsOf(policy.promises, states);
  const told = `Protection: ${wordOf(counts)}. ${policy.promises.length} promises: ${figuresOf(counts)}.`;
  return [text({ text: told, at: 'page.banner' })];
}

export function updatedOf({ service }: Policy, standing: Standing | undefined): Block[] {
  if (!standing) return [];
  const { revision, appliedAt } = standing;
  return [
    text(
      'Last updated ',
      { text: appliedAt, at: 'page.updated' },
      ', revision ',
      { text: String(revision), at: 'page.revision' },
      '. ',
      { text: 'Every revision', to: `/v1/t/${service}/policy/revisions` },
      '.',
    ),
  ];
}

const isEncryption = ({ control }: Policy['promises'][number]) =>
  control?.startsWith('encryption.') === true;

export function footerOf(
  policy: Policy,
  states: States | undefined,
  standing: Standing | undefined,
): Block[] {
  if (!states || !standing) return [];
  const counts = countsOf(policy.promises.filter(isEncryption), states);
  const told = `Encryption: ${wordOf(counts)} (${figuresOf(counts)}).`;
  return [
    heading(2, 'Status'),
    text(
      { text: told, at: 'page.encryption' },
      ' Last check ',
      {
        text: standing.lookedAt ?? 'none yet',
        at: 'page.looked-at',
      },
      '. Build ',
      { text: standing.build, at: 'page.build' },
      '.',
    ),
    text('Version ', shown(policy, 'version'), ', in force from ', shown(policy, 'effective'), '.'),
  ];
}
