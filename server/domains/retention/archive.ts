/** Reading the archive: for a stated purpose of the policy only, and on record before it happens. */
import { PurposeId, Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import { type Actor, authorize, type PolicyInForce } from '#core/policy';
import { purposeProblem } from '#core/purposes';
import { archiveDatabaseOf, eventTableOf } from '#core/tenancy';
import type { RetentionDeps } from './deps.ts';
import { retentionProblem } from './errors.ts';
import { isThere, readRows } from './store-events.ts';

export type ArchiveAsked = {
  readonly dataType: string;
  readonly purpose: string;
  readonly from: Date;
  readonly until: Date;
  /** At most 1,000. */
  readonly limit: number;
};

const ROWS_MAX = 1_000;

/**
 * @throws Problem purpose-not-declared, purpose-not-for-data, data-not-archived, forbidden.
 */
export async function readArchive(
  { db, events, clock }: RetentionDeps,
  { inForce, actor }: { inForce: PolicyInForce; actor: Actor },
  { dataType, purpose, from, until, limit }: ArchiveAsked,
): Promise<Record<string, unknown>[]> {
  const { tenant, policy } = inForce;
  const permit = authorize(inForce, actor, 'archive.read');
  if (!Object.hasOwn(policy.purposes, purpose)) {
    throw purposeProblem('purpose-not-declared', 'Name a purpose of the policy in force.');
  }
  const declared = Object.hasOwn(policy.data, dataType) ? policy.data[dataType] : undefined;
  if (!declared?.purposes.includes(purpose)) {
    throw purposeProblem('purpose-not-for-data', 'The policy does not declare it for this data.');
  }
  const compiled = policy.compiled.data[dataType];
  const { table } = eventTableOf(tenant, policy, dataType);
  const place = { database: archiveDatabaseOf(tenant), table };
  if (declared.from !== 'events' || !compiled?.tiers?.archive || !(await isThere(events, place))) {
    throw retentionProblem('data-not-archived', 'the policy names no archive for it');
  }
  const now = clock.now();
  await db.sql.begin((tx) =>
    appendAudit(Object.assign(tx, { now }), permit, {
      event: 'archive.read',
      fields: { data: Word(dataType), purpose: PurposeId(purpose) },
    }),
  );
  return readRows(events, place, { from, until, limit: Math.min(limit, ROWS_MAX) });
}
