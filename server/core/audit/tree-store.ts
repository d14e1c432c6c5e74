/** What PostgreSQL knows of the logs: what waits, where each entry stands, and what has failed. */
import type postgres from 'postgres';
import { TenantId, Word } from '#base/ids';
import type { Database } from '#platform/database';
import { auditProblem } from './errors.ts';
import type { AuditEntry } from './model.ts';

type Sql = postgres.ISql;
const HASH_BYTES = 32;

/** The place of all logs, where a state is about more than one of them. */
export const ALL_LOGS = '*';

/** The tenants that have entries without an index. */
export async function readPendingTenants(sql: Sql): Promise<TenantId[]> {
  const rows = await sql<{ tenant: string }[]>`
    select distinct tenant from troth.audit_pending`;
  return rows.map(({ tenant }) => TenantId(tenant));
}

export type PendingEntry = AuditEntry & {
  readonly seq: string;
  readonly leafHash: Buffer;
  /** It has its index already: the log was ahead of a restored database. */
  readonly known: boolean;
};

export async function readPending(
  sql: Sql,
  tenant: TenantId,
  limit: number,
): Promise<PendingEntry[]> {
  return sql<PendingEntry[]>`
    select pending.seq::text as seq, id, entry.tenant, at, kind, event, actor_kind as "actorKind",
           actor_id as "actorId", action, encode(uuid_send(subject), 'hex') as subject, fields,
           commitments, revision, intent, entry.leaf_hash as "leafHash",
           leaf.index is not null as known
    from troth.audit_pending as pending
    join troth.audit_entries as entry on entry.seq = pending.seq
    left join troth.audit_leaves as leaf
      on leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash
    where pending.tenant = ${tenant}
    order by pending.seq
    limit ${limit}`;
}

export async function forgetPending(
  sql: Sql,
  tenant: TenantId,
  seqs: readonly string[],
): Promise<void> {
  await sql`
    delete from troth.audit_pending
    where tenant = ${tenant} and seq = any(${seqs as string[]}::bigint[])`;
}

/** Writes down leaves from an index on, and that the tree has them. `hashes`: 32 bytes each. */
export async function insertLeaves(
  sql: Sql,
  leaves: { readonly tenant: TenantId; readonly from: number; readonly hashes: Buffer },
): Promise<void> {
  const { tenant, from, hashes } = leaves;
  const count = hashes.length / HASH_BYTES;
  await sql`
    insert into troth.audit_leaves (tenant, index, leaf_hash)
    select ${tenant}, ${from}::bigint + n, substring(${hashes}::bytea from n * 32 + 1 for 32)
    from generate_series(0, ${count - 1}::int) as n`;
  await sql`
    insert into troth.audit_trees (tenant, size)
    values (${tenant}, ${from + count})
    on conflict (tenant) do update set size = excluded.size`;
}

/** Lets go of what waits although the log has it: it was ahead of this database. */
export async function forgetKnown(sql: Sql, tenant: TenantId): Promise<void> {
  await sql`
    delete from troth.audit_pending as pending
    using troth.audit_entries as entry, troth.audit_leaves as leaf
    where pending.tenant = ${tenant} and entry.seq = pending.seq
      and leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash`;
}

export type LeafDigest = { readonly count: number; readonly digest: Buffer };

/** For each 256 leaves in order: how many there are, and SHA-256 over their hashes. */
export async function readLeafDigests(sql: Sql, tenant: TenantId): Promise<LeafDigest[]> {
  return sql<LeafDigest[]>`
    select count(*)::int as count, sha256(string_agg(leaf_hash, ''::bytea order by index)) as digest
    from troth.audit_leaves
    where tenant = ${tenant}
    group by index / 256
    order by index / 256`;
}

export async function readTreeTenants(sql: Sql): Promise<TenantId[]> {
  const rows = await sql<{ tenant: string }[]>`
    select tenant from troth.audit_trees where tenant <> ${ALL_LOGS}`;
  return rows.map(({ tenant }) => TenantId(tenant));
}

export async function writeFailure(
  sql: Sql,
  failed: { readonly tenant: string; readonly failure: string; place: string; now: Date },
): Promise<void> {
  await sql`
    insert into troth.audit_trees (tenant, failure, place, since)
    values (${failed.tenant}, ${failed.failure}, ${failed.place}, ${failed.now})
    on conflict (tenant) do update
    set failure = excluded.failure, place = excluded.place,
        since = coalesce(audit_trees.since, excluded.since)`;
}

export async function clearFailure(sql: Sql, tenant: string): Promise<void> {
  await sql`
    update troth.audit_trees set failure = null, place = null, since = null
    where tenant = ${tenant} and failure is not null`;
}

/**
 * Refuses while the log that should hold an act is not to be written, or not to be believed.
 *
 * @throws Problem audit-log-unwritable, audit-log-damaged.
 */
export async function checkLogHealth(sql: Sql, tenant: TenantId): Promise<void> {
  const [failed] = await sql<{ tenant: string; failure: string; place: string }[]>`
    select tenant, failure, place from troth.audit_trees
    where tenant in (${tenant}, ${ALL_LOGS}) and failure is not null
    limit 1`;
  if (!failed) return;
  if (failed.failure === 'unwritable') {
    const detail = 'Make its directory writable again, or give it space: nothing was changed.';
    throw auditProblem('audit-log-unwritable', detail, { retryAfterSeconds: 5 });
  }
  const fault = Word(failed.failure);
  const whose = failed.tenant === ALL_LOGS ? 'all services' : failed.tenant;
  const what = `${failed.failure} at ${failed.place}`;
  const detail = `The log of ${whose}: ${what}. Restore it. Nothing was changed.`;
  throw auditProblem('audit-log-damaged', detail, { fault });
}

export type AuditHealth = {
  /** Empty when every log is as it was signed and can be written. */
  readonly failures: readonly {
    /** A tenant, or `*` for all. */
    readonly tenant: string;
    readonly failure: string;
    readonly place: string;
    readonly since: Date;
  }[];
  /** Committed entries that are in no log yet. */
  readonly waiting: number;
};

/** How the logs are; the same answer from every process. */
export async function auditHealth(db: Pick<Database, 'sql'>): Promise<AuditHealth> {
  const failures = await db.sql<AuditHealth['failures'][number][]>`
    select tenant, failure, place, since
    from troth.audit_trees
    where failure is not null
    order by tenant`;
  const [waiting] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from troth.audit_pending`;
  return { failures: [...failures], waiting: waiting?.count ?? 0 };
}

/** Where an entry stands in its tenant's log; `undefined` while it waits. */
export async function leafIndexOf(
  db: Pick<Database, 'sql'>,
  { tenant, id }: { tenant: TenantId; id: string },
): Promise<number | undefined> {
  const [leaf] = await db.sql<{ index: number }[]>`
    select leaf.index::float8 as index
    from troth.audit_entries as entry
    join troth.audit_leaves as leaf
      on leaf.tenant = entry.tenant and leaf.leaf_hash = entry.leaf_hash
    where entry.id = ${id} and entry.tenant = ${tenant}`;
  return leaf?.index;
}
