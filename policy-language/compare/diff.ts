/** Two revisions side by side: for people as lines, for programs as data. */
import { policyHash } from '#language/compile';
import type { Policy } from '#language/policy';
import { type Change, changesBetween } from './changes.ts';

export type PolicyDiff = {
  readonly from: { readonly version: string; readonly hash: string };
  readonly to: { readonly version: string; readonly hash: string };
  readonly changes: readonly Change[];
  /** One line each: `+ path: value`, `- path: value`, `~ path: old → new`. */
  readonly lines: readonly string[];
};

/** Compares two policies. A policy compared with itself has no changes. */
export function diffPolicies(from: Policy, to: Policy): PolicyDiff {
  const changes = changesBetween(from, to);
  return {
    from: { version: from.version, hash: policyHash(from) },
    to: { version: to.version, hash: policyHash(to) },
    changes,
    lines: changes.map(lineOf),
  };
}

/** A change in one line. */
export function lineOf({ path, kind, from, to }: Change): string {
  if (kind === 'added') return `+ ${path}: ${show(to)}`;
  if (kind === 'removed') return `- ${path}: ${show(from)}`;
  return `~ ${path}: ${show(from)} → ${show(to)}`;
}

const SHOWN_MAX = 160;

/** A value in one line, cut where it grows long. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 1)}…` : text;
}
