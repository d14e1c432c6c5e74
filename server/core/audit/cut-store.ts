/**
 * The retention cut: bodies of entries whose time is over go from PostgreSQL at once and from the
 * log within a second or two; their hashes stay in both, so every proof stays valid. The cut is an
 * entry itself, and says below which index bodies may be missing.
 */
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import { appendAudit } from './store.ts';
import { checkLogHealth } from './tree-store.ts';

export type AuditCut = {
  /** Entries that went from PostgreSQL. */
  readonly entries: number;
  /** Every index from here on has its body. */
  readonly floor: number;
};

/**
 * Removes the bodies of a tenant's entries that are older than `before` and stand in the log.
 *
 * An intent stays for as long as its outcome; entries that wait for their index stay until they
 * have it. Safe to repeat: nothing to cut leaves no entry.
 *
 * @throws Problem audit-log-unwritable, audit-log-damaged: nothing was cut.
 */
export async function cutAudit(
  db: Pick<Database, 'sql'>,
  permit: Permit<'data.sweep'>,
  { before, now }: { readonly before: Date; readonly now: Date },
): Promise<AuditCut> {
  const { tenant } = permit;
  const cut = await db.sql.begin(async (tx) => {
    await checkLogHealth(tx, tenant);
    const [old] = await tx<{ floor: number | null }[]>`
      select (max(leaf.index) + 1)::float8 as floor
      from troth.audit_entries as entry
      join troth.audit_leaves as leaf
        on leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash
      where entry.tenant = ${tenant} and entry.at < ${before}
        and (entry.kind <> 'intent' or exists (
          select from troth.audit_entries as outcome
          where outcome.intent = entry.id and outcome.at < ${before}))`;
    const floor = old?.floor ?? 0;
    if (floor === 0) return { entries: 0, floor };
    const fields = { floor, beforeMs: before.getTime() };
    const at = Object.assign(tx, { now });
    const entry = await appendAudit(at, permit, { event: 'audit.cut', fields });
    await tx`
      insert into troth.audit_cuts (entry, tenant, floor, before)
      values (${entry}, ${tenant}, ${floor}, ${before})`;
    const [gone] = await tx<{ entries: number }[]>`
      select troth.cut_audit(${tenant}, ${before})::float8 as entries`;
    return { entries: gone?.entries ?? 0, floor };
  });
  return cut as AuditCut;
}

/** How many of a tenant's entries have their body, and since when. */
export async function auditAge(
  { sql }: Pick<Database, 'sql'>,
  tenant: TenantId,
): Promise<{ readonly rows: number; readonly oldest: Date | null }> {
  const [age] = await sql<{ rows: number; oldest: Date | null }[]>`
    select count(*)::float8 as rows, min(at) as oldest
    from troth.audit_entries
    where tenant = ${tenant}`;
  return age ?? { rows: 0, oldest: null };
}

export type OpenCut = {
  readonly entry: string;
  readonly tenant: TenantId;
  readonly floor: number;
  readonly before: Date;
};

/** Cuts that the log has not followed yet, and whose own entry stands in it. */
export async function readOpenCuts(sql: postgres.ISql): Promise<OpenCut[]> {
  return sql<OpenCut[]>`
    select cut.entry, cut.tenant, cut.floor::float8 as floor, cut.before
    from troth.audit_cuts as cut
    join troth.audit_entries as entry on entry.id = cut.entry
    join troth.audit_leaves as leaf
      on leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash
    where cut.bodies is null
    order by cut.before
    limit 100`;
}

export async function writeCutDone(
  sql: postgres.ISql,
  { entry, bodies }: { entry: string; bodies: number },
): Promise<void> {
  await sql`update troth.audit_cuts set bodies = ${bodies} where entry = ${entry}`;
}

/** True for the bytes of an entry that is older. */
export const isOlderThan = (before: Date) => (entry: Buffer) => {
  const { at } = JSON.parse(entry.toString('utf8')) as { at: string };
  return Date.parse(at) < before.getTime();
};
