/**
 * The arithmetic of retention. Where several limits bind one field, the shortest wins: a longer one
 * would break the promise that the shorter one made.
 */
import type { z } from 'zod';
import type { RETENTION_WORDS, Retention } from '#grammar';
import { type Duration, durationInWords, tryDuration } from './duration.ts';

export type RetentionWord = (typeof RETENTION_WORDS)[number];

/** How long something may live: a length, an event that ends it, or whichever comes first. */
export type Limit = {
  readonly milliseconds: number | null;
  readonly until: RetentionWord | null;
  readonly text: string;
};

/** The earliest event first: a session ends before a revocation, and that before a deletion. */
const EARLIEST: readonly RetentionWord[] = ['session', 'until-revoked', 'until-deleted'];

/** @throws RangeError when the text is neither a duration nor a word of retention. */
export function limitOf(text: string): Limit {
  const word = EARLIEST.find((candidate) => candidate === text);
  if (word) return { milliseconds: null, until: word, text };
  const duration = tryDuration(text);
  if (!duration) throw new RangeError(`not a limit: ${text.slice(0, 40)}`);
  return { milliseconds: duration.milliseconds, until: null, text };
}

/** The limit that keeps every one of the given limits; the order does not matter. */
export function shortest(limits: readonly Limit[]): Limit {
  const [first, ...others] = limits;
  if (!first) return { milliseconds: null, until: null, text: 'no limit' };
  return others.reduce(shorterOf, first);
}

function shorterOf(a: Limit, b: Limit): Limit {
  const byTime = ranked(a.milliseconds, b.milliseconds);
  const byEvent = ranked(rankOf(a.until), rankOf(b.until));
  const milliseconds = (byTime === 'b' ? b : a).milliseconds;
  const until = (byEvent === 'b' ? b : a).until;
  return { milliseconds, until, text: textOf(milliseconds, until, [a, b]) };
}

const rankOf = (until: RetentionWord | null) => (until === null ? null : EARLIEST.indexOf(until));

function ranked(a: number | null, b: number | null): 'a' | 'b' {
  if (a === null) return 'b';
  return b !== null && b < a ? 'b' : 'a';
}

/** Keeps the words of the policy where one limit alone decides. Ties go to the shorter text. */
function textOf(ms: number | null, until: RetentionWord | null, limits: readonly Limit[]): string {
  const time = limits
    .filter((limit) => limit.milliseconds === ms && ms !== null)
    .map((limit) => limit.text.split(' or ').find((part) => part.startsWith('P')) ?? '')
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
  return [time, until].filter(Boolean).join(' or ') || 'no limit';
}

/** The tiers of a data type. `total` is when the last copy is gone, counted from receipt. */
export type Tiers = {
  readonly active: Limit;
  readonly archive: Limit | null;
  readonly total: Limit;
};

/** Reads what stands under `retain:`. A missing total is active plus archive. */
export function tiersOf(retain: Readonly<z.infer<typeof Retention>>): Tiers {
  if (typeof retain === 'string') {
    const only = limitOf(retain);
    return { active: only, archive: null, total: only };
  }
  const active = limitOf(retain.active);
  const archive = retain.archive === undefined ? null : limitOf(retain.archive);
  const total = retain.total === undefined ? sum(active, archive) : limitOf(retain.total);
  return { active, archive, total };
}

function sum(active: Limit, archive: Limit | null): Limit {
  if (archive?.milliseconds == null || active.milliseconds === null) return active;
  const milliseconds = active.milliseconds + archive.milliseconds;
  return { milliseconds, until: null, text: `PT${milliseconds / 1000}S` };
}

/** In words for a page: "90 days", "until deleted", "1 hour or until the session ends". */
export function limitInWords({ milliseconds, until }: Limit): string {
  const time: Duration | null = milliseconds === null ? null : { milliseconds, text: '' };
  const event = until === 'session' ? 'until the session ends' : until?.replace('-', ' ');
  return [time && durationInWords(time), event].filter(Boolean).join(' or ') || 'without a limit';
}
