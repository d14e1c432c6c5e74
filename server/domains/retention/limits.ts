/**
 * How long each row may live: the policy's limit, a customer's choice within what it offers, and
 * the shorter of that and what a region asks for. And how early a sweep has to come so that no row
 * ever reaches it.
 */
import {
  type CompiledData,
  limitInWords,
  type Policy,
  tiersOf,
  tryDuration,
} from '@troth/policy-language';
import { retentionProblem } from './errors.ts';

export type Choice = {
  readonly dataType: string;
  /** A country or a union; empty for everybody. */
  readonly region: string;
  /** The name of an option of the policy, or a duration. */
  readonly choice: string;
  readonly limitMs: number;
};

export type Limits = {
  /** From receipt until the last copy is gone; null where no length ends it. */
  readonly totalMs: number | null;
  /** From receipt until a row leaves the active tier; null where there is no archive. */
  readonly activeMs: number | null;
  /**
   * Where a region asks for a shorter life, and what customers chose for regions: also a longer
   * one, but never beyond what the policy allows there.
   */
  readonly regions: Readonly<Record<string, number>>;
  /** Of a row whose country is not known: the shortest, of every place that it may be from. */
  readonly unknownMs: number | null;
};

/** As ingest reads a rule for a region: the country's own, or that of its union. */
export type RuleIn = (
  rules: Readonly<Record<string, number>>,
  country: string,
) => number | undefined;

/**
 * Codes that ISO 3166-1 leaves to its users and no place has: what is chosen for one is nobody's,
 * whose country is not known included. XA to XZ are left out, since Kosovo goes by one of them.
 */
const NO_PLACE = /^(AA|Q[M-Z]|ZZ)$/;

export const isPlace = (region: string): boolean => !NO_PLACE.test(region);

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A sweep that is late by this much still comes in time. */
const LAG_MS = 10 * MINUTE_MS;

const clamp = (value: number, least: number, most: number) =>
  Math.max(least, Math.min(most, value));

/** How often a limit is swept: the longer the life, the less it matters when exactly it ends. */
export const sweepEveryMs = (limitMs: number): number =>
  clamp(limitMs / 100, 10 * MINUTE_MS, DAY_MS);

/** How much before its limit a row goes: one sweep may fail, and the next is late. */
export const marginMs = (limitMs: number): number =>
  Math.min(limitMs / 2, 2 * sweepEveryMs(limitMs) + LAG_MS);

/** Rows received before this are swept. */
export const cutoffOf = (limitMs: number, now: Date): Date =>
  new Date(now.getTime() - limitMs + marginMs(limitMs));

/** Rows received before this should have been swept already: no schedule is waited for. */
export const overdueOf = (limitMs: number, now: Date): Date =>
  new Date(now.getTime() - limitMs + Math.min(limitMs / 2, LAG_MS));

/** What holds for a data type now. */
export function limitsOf(
  policy: Policy,
  compiled: CompiledData,
  choices: readonly Choice[],
  ruleIn: RuleIn,
): Limits {
  const { id, retain, retainIn, tiers } = compiled;
  const theirs = choices.filter(({ dataType }) => dataType === id);
  const general = theirs.find(({ region }) => region === '');
  const totalMs = retain.milliseconds === null ? null : (general?.limitMs ?? retain.milliseconds);
  const most: Record<string, number> = {};
  for (const [region, { milliseconds }] of Object.entries(retainIn)) {
    if (milliseconds !== null) most[region] = milliseconds;
  }
  const regions: Record<string, number> = {};
  for (const [region, limitMs] of Object.entries(most)) {
    if (totalMs === null || limitMs < totalMs) regions[region] = limitMs;
  }
  for (const { region, limitMs } of theirs) {
    if (region !== '') regions[region] = Math.min(limitMs, ruleIn(most, region) ?? limitMs);
  }
  const places = Object.entries(regions).flatMap(([region, ms]) => (isPlace(region) ? ms : []));
  const shortest = Math.min(totalMs ?? Number.POSITIVE_INFINITY, ...places);
  const activeMs = tiers?.archive ? tiers.active.milliseconds : null;
  const isArchived = activeMs !== null && (totalMs === null || activeMs < totalMs);
  return {
    totalMs,
    activeMs: isArchived && policy.data[id] ? activeMs : null,
    regions,
    unknownMs: Number.isFinite(shortest) ? shortest : null,
  };
}

/**
 * Reads what a customer chose: an option of the policy by its name, or a length of at most the
 * longest that the policy names for this data.
 *
 * @throws Problem retention-not-chosen.
 */
export function readChoice(policy: Policy, dataType: string, choice: string): number {
  const type = Object.hasOwn(policy.data, dataType) ? policy.data[dataType] : undefined;
  const options = Object.entries(type?.['retain-options'] ?? {});
  if (!type || options.length === 0) {
    throw retentionProblem('retention-not-chosen', 'the policy offers no choice for this data');
  }
  const named = options.find(([name]) => name === choice)?.[1];
  const asked = named === undefined ? tryDuration(choice) : tiersOf(named).total;
  const own = policy.compiled.data[dataType]?.retain.milliseconds ?? 0;
  const lengths = options.map(([, option]) => tiersOf(option).total.milliseconds ?? 0);
  const most = Math.max(own, ...lengths);
  if (!asked || asked.milliseconds === null || asked.milliseconds > most) {
    const words = limitInWords({ milliseconds: most, until: null, text: '' });
    const names = options.map(([name]) => name).join(', ');
    throw retentionProblem('retention-not-chosen', `choose ${names}, or at most ${words}`);
  }
  return asked.milliseconds;
}

/** A policy's limit for records of its own kind (`from:`); the longest where it names several. */
export function limitFrom(policy: Policy, from: string, not: readonly string[] = []) {
  const limits = Object.values(policy.compiled.data)
    .filter(({ id }) => policy.data[id]?.from === from && !not.includes(id))
    .flatMap(({ id, retain }) => (retain.milliseconds === null ? [] : [{ id, retain }]));
  return limits.sort((a, b) => (b.retain.milliseconds ?? 0) - (a.retain.milliseconds ?? 0))[0];
}
