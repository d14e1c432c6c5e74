/**
 * Rows from an earlier time. For verification only: a proof plants one that is older than its limit
 * and looks whether the sweep takes it. On record, and nobody but the system is given leave.
 */
import { randomBytes } from 'node:crypto';
import { type SubjectId, Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import { NOBODY } from '#core/keys';
import type { Permit, PolicyInForce } from '#core/policy';
import { archiveDatabaseOf, eventTableOf } from '#core/tenancy';
import type { RetentionDeps } from './deps.ts';
import { retentionProblem } from './errors.ts';
import { insertAged, prepareArchive, type Values } from './store-events.ts';

export type AgedRow = {
  readonly name: string;
  /** Default: nobody. */
  readonly subject?: SubjectId;
  /** Where it was received from, as ISO 3166-1 has it. Default: not known. */
  readonly country?: string;
  /** By the name of a declared field that is stored in clear. */
  readonly values?: Readonly<Record<string, string | number | boolean>>;
};

export type Backdated = {
  readonly dataType: string;
  readonly rows: readonly AgedRow[];
  readonly receivedAt: Date;
  /** Default: active. */
  readonly tier?: 'active' | 'archive';
};

export type ImportDeps = Pick<RetentionDeps, 'db' | 'events' | 'clock'> & {
  /** Puts the messages on record as planted, before the first of them is written. */
  readonly note?: (messages: readonly bigint[]) => Promise<void>;
};

const ROWS_MAX = 100;

/**
 * Writes the rows as if they had been received then. The engine's own expiry passes them by, so
 * whoever finds them gone knows that a sweep took them.
 *
 * @returns the message of each, by which it is found: a 64-bit number as text.
 * @throws Problem import-not-understood.
 */
export async function importBackdated(
  { db, events, clock, note = async () => undefined }: ImportDeps,
  permit: Permit<'canary.write'>,
  inForce: PolicyInForce,
  { dataType, rows, receivedAt, tier = 'active' }: Backdated,
): Promise<string[]> {
  const { tenant, policy } = inForce;
  if (policy.data[dataType]?.from !== 'events' || rows.length > ROWS_MAX) {
    throw retentionProblem('import-not-understood', `name a type of events, ${ROWS_MAX} rows`);
  }
  const active = eventTableOf(tenant, policy, dataType);
  const types = new Map(active.columns.map(({ name, type }) => [name, type]));
  const archive = { database: archiveDatabaseOf(tenant), table: active.table };
  if (tier === 'archive') await prepareArchive(events, active, archive);
  const now = clock.now();
  await db.sql.begin((tx) =>
    appendAudit(Object.assign(tx, { now }), permit, {
      event: 'canary.imported',
      fields: { data: Word(dataType), rows: rows.length, receivedAtMs: receivedAt.getTime() },
    }),
  );
  const messages = rows.map(() => randomBytes(8).readBigUInt64LE());
  await note(messages);
  for (const [at, { name, country = '', subject = NOBODY, values = {} }] of rows.entries()) {
    const message = messages[at] as bigint;
    const given = { receivedAt, name, country, subject, message };
    const row = { ...given, values: columnsOf(values, types) };
    await insertAged(events, tier === 'archive' ? archive : active, row);
  }
  return messages.map(String);
}

function columnsOf(values: NonNullable<AgedRow['values']>, types: Map<string, string>): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const type = types.get(`f_${name}`);
      if (!type) throw retentionProblem('import-not-understood', 'a field has no column');
      return [`f_${name}`, { value: String(value), type }];
    }),
  );
}
