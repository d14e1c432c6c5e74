/** The published time of a demand: the operator is told while there is still a tenth of it left. */
import { parseDuration } from '@troth/policy-language';
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import { appendAudit } from '#core/audit';
import { authorize } from '#core/policy';
import { type ErasureDeps, WALKER } from './deps.ts';
import { type LateDemand, markLate } from './store-deadlines.ts';

export type LateDemands = {
  readonly tenant: TenantId;
  readonly late: readonly LateDemand[];
  /** How long a demand may take. */
  readonly withinMs: number;
  readonly at: Date;
};

/** Told in the transaction that marks them, so that no crash swallows it. */
export type TellLate = (tx: postgres.TransactionSql, late: LateDemands) => Promise<void>;

const WARNED_AT = 0.9;

const msOf = (text: string | undefined) => parseDuration(text ?? 'P0D').milliseconds;

/** Looks at every service. Safe to repeat: each demand is told of once. */
export async function watchDeadlines(
  { db, policies, clock, log }: Pick<ErasureDeps, 'db' | 'policies' | 'clock' | 'log'>,
  tell: TellLate,
): Promise<void> {
  const now = clock.now();
  for (const tenant of policies.tenants()) {
    const inForce = policies.inForce(tenant);
    const { within, recoverable } = inForce.policy.rights?.erasure ?? {};
    if (within === undefined) continue;
    const permit = authorize(inForce, WALKER, 'subject.erase');
    const withinMs = msOf(within);
    const before = new Date(now.getTime() - WARNED_AT * withinMs);
    await db.sql.begin(async (tx) => {
      const late = await markLate(tx, tenant, { before, undoableMs: msOf(recoverable), now });
      if (late.length === 0) return;
      await appendAudit(Object.assign(tx, { now }), permit, {
        event: 'erasure.late',
        fields: { demands: late.length },
      });
      await tell(tx, { tenant, late, withinMs, at: now });
      log('erasure.late', { tenant, demands: late.length });
    });
  }
}
