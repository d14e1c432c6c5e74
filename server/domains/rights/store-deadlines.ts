import type postgres from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';

export type LateDemand = {
  /** Null where nobody of the name was known. */
  readonly subject: SubjectId | null;
  /** When its time began. */
  readonly since: Date;
};

const LATE_MAX = 1_000;

/**
 * Marks demands whose time began before `before` and that were not marked yet; at most a thousand.
 * What is held waits on a published ground and is not late.
 *
 * @param undoableMs  how long one can be undone that is not final at once: its time begins then.
 */
export async function markLate(
  tx: postgres.TransactionSql,
  tenant: TenantId,
  { before, undoableMs, now }: { before: Date; undoableMs: number; now: Date },
): Promise<LateDemand[]> {
  const undoable = undoableMs / 1_000;
  return tx<LateDemand[]>`
    with late as (
      select id,
             requested_at + case when complete then interval '0'
                                 else make_interval(secs => ${undoable}) end as since
      from erasures
      where tenant = ${tenant} and alarmed_at is null and state not in ('done', 'undone', 'held')
      order by requested_at
      limit ${LATE_MAX})
    update erasures
    set alarmed_at = ${now}
    from late
    where erasures.id = late.id and late.since < ${before}
    returning encode(uuid_send(erasures.subject), 'hex') as subject, late.since`;
}
