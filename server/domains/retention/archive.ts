/** Reading the archive: for a stated purpose of the policy only, and on record before it happens. */
import { Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import { type Actor, authorize, type PolicyInForce } from '#core/policy';
import {
  type People,
  purposeProblem,
  purposeStated,
  type ReadRow,
  shownRows,
  withinTime,
} from '#core/purposes';
import { archiveDatabaseOf, columnsFor, eventTableOf } from '#core/tenancy';
import type { RetentionDeps } from './deps.ts';
import { retentionProblem } from './errors.ts';
import { readColumns, readRows } from './store-events.ts';

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
 * Reads the archive of one type, newest first, by the rules that hold for every reading of events.
 *
 * @throws Problem purpose-not-stated, purpose-not-declared, purpose-not-for-data,
 *         data-not-archived, forbidden.
 */
export async function readArchive(
  { db, events, clock, people }: RetentionDeps & { readonly people: People },
  { inForce, actor }: { inForce: PolicyInForce; actor: Actor },
  { dataType, purpose: name, from, until, limit }: ArchiveAsked,
): Promise<ReadRow[]> {
  const { tenant, policy } = inForce;
  const permit = authorize(inForce, actor, 'archive.read');
  const purpose = purposeStated(policy, name);
  const declared = Object.hasOwn(policy.data, dataType) ? policy.data[dataType] : undefined;
  const compiled = declared && policy.compiled.data[dataType];
  if (!compiled?.purposes.includes(purpose)) {
    throw purposeProblem('purpose-not-for-data', 'The policy does not declare it for this data.');
  }
  const { table, columns } = eventTableOf(tenant, policy, dataType);
  const place = { database: archiveDatabaseOf(tenant), table };
  const isArchived = declared?.from === 'events' && compiled.tiers?.archive;
  const there = isArchived ? await readColumns(events, place) : [];
  if (there.length === 0) {
    throw retentionProblem('data-not-archived', 'the policy names no archive for it');
  }
  const now = clock.now();
  await db.sql.begin((tx) =>
    appendAudit(Object.assign(tx, { now }), permit, {
      event: 'archive.read',
      fields: { data: Word(dataType), purpose },
    }),
  );
  // It gets the columns of a new revision with the next rows that it takes in.
  const names = new Set(there.map((column) => column.name));
  const shown = columns.filter((column) => names.has(column.name));
  const read = await readRows(events, place, {
    columns: columnsFor(purpose, shown),
    from: withinTime(from),
    until: withinTime(until),
    limit: Math.min(limit, ROWS_MAX),
  });
  return shownRows(people, inForce, { purpose, read });
}
