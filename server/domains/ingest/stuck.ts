import { type TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { appendAudit, recordRefusal } from '#core/audit';
import { type Actor, authorize, type Policies } from '#core/policy';
import { eventsDatabaseOf } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import { ingestProblem } from './errors.ts';
import { ROW_BATCH_AT } from './inbox-format.ts';
import { stuckRows } from './inbox-stuck.ts';
import { isBatchThere } from './ledger-batches.ts';
import {
  forgetStuck,
  holdStuck,
  listStuck,
  type StuckRows,
  type StuckUnit,
} from './store-stuck.ts';

export type StuckDeps = {
  readonly db: Pick<Database, 'sql'>;
  readonly events: Events;
  readonly policies: Policies;
  readonly now: () => Date;
};

export type Retried = { readonly id: string; readonly rows: number };

/** What is set aside, for the operator to look at. */
export const stuckUnits = ({ db }: Pick<StuckDeps, 'db'>): Promise<StuckUnit[]> =>
  listStuck(db.sql);

/**
 * Tries once more to store what the event store refused: after its cause was mended.
 *
 * The rows are those that were acknowledged, under the batch that they had. A try that was cut off
 * between the two engines is found by that batch, so nothing is stored twice.
 *
 * @throws Problem inbox-row-unknown, inbox-refused-again; a refusal is recorded first.
 */
export async function retryStuck(deps: StuckDeps, actor: Actor, id: string): Promise<Retried> {
  const { db, policies, now } = deps;
  let tenant: TenantId | undefined;
  try {
    return await db.sql.begin(async (tx) => {
      const held = /^\d{1,18}$/.test(id) ? await holdStuck(tx, id) : undefined;
      if (!held) throw ingestProblem('inbox-row-unknown', 'it was stored, or is being tried now');
      tenant = held.tenant;
      const permit = authorize(policies.inForce(tenant), actor, 'inbox.retry');
      await insert(deps, held);
      await forgetStuck(tx, permit, id);
      const { rows, engineCode } = held;
      const act = { event: 'inbox.retried', fields: { rows, engineCode } } as const;
      await appendAudit(Object.assign(tx, { now: now() }), permit, act);
      return { id, rows };
    });
  } catch (thrown) {
    if (tenant && thrown instanceof Problem) {
      const code = Word(thrown.code);
      await recordRefusal(db, { tenant, actor, action: 'inbox.retry', code, now: now() });
    }
    throw thrown;
  }
}

async function insert({ events }: StuckDeps, held: StuckRows): Promise<void> {
  const { tenant, table, columns, day } = held;
  const rows = Buffer.concat(stuckRows(held.body));
  const batch = rows.readBigUInt64LE(ROW_BATCH_AT);
  try {
    if (await isBatchThere(events, { tenant, table, day }, batch)) return;
    const database = eventsDatabaseOf(tenant);
    const token = `troth-${batch}`;
    await events.insert({ database, table, columns, rows, format: 'RowBinary', token });
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.code !== 'events-refused') throw thrown;
    const engineCode = Number(thrown.fields['engineCode'] ?? 0);
    throw ingestProblem('inbox-refused-again', 'mend what the code says, then try again', {
      engineCode,
    });
  }
}
