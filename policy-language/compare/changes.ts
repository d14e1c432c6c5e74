/** What differs between two documents, path by path, in an order that does not depend on either. */

import { documentOf } from '#language/compile';
import type { PolicyDocument } from '#language/document';
import type { DeepReadonly, Policy } from '#language/policy';

export type Change = {
  /** Keys with dots; members of lists go by their id, meter or finding. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly from?: unknown;
  readonly to?: unknown;
};

/** What a member of a list is known by; members of other lists are compared as one value. */
const NAMES: Readonly<Record<string, string>> = {
  promises: 'id',
  prices: 'meter',
  resolves: 'finding',
};

/** The changes from one policy to the other; none when they say the same. */
export function changesBetween(from: Policy, to: Policy): Change[] {
  const changes: Change[] = [];
  compare(named(documentOf(from)), named(documentOf(to)), '', changes);
  return changes;
}

/** Lists with names become records, so that a moved member is no change. */
function named(document: DeepReadonly<PolicyDocument>): Record<string, unknown> {
  const record: Record<string, unknown> = { ...document };
  for (const [section, name] of Object.entries(NAMES)) {
    const list = record[section];
    if (!Array.isArray(list)) continue;
    const byName: Record<string, unknown> = {};
    for (const member of list as Record<string, unknown>[]) {
      let key = String(member[name]);
      while (Object.hasOwn(byName, key)) key += '+';
      byName[key] = member;
    }
    record[section] = byName;
  }
  return record;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function compare(from: unknown, to: unknown, path: string, changes: Change[]): void {
  if (isRecord(from) && isRecord(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    for (const key of keys) {
      const below = path === '' ? key : `${path}.${key}`;
      compare(memberOf(from, key), memberOf(to, key), below, changes);
    }
    return;
  }
  if (from === to || JSON.stringify(from) === JSON.stringify(to)) return;
  if (from === undefined) changes.push({ path, kind: 'added', to });
  else if (to === undefined) changes.push({ path, kind: 'removed', from });
  else changes.push({ path, kind: 'changed', from, to });
}

const memberOf = (record: Record<string, unknown>, key: string) =>
  Object.hasOwn(record, key) ? record[key] : undefined;
