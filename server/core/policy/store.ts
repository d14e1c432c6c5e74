import { documentOf, type Policy, policyHash } from '@troth/policy-language';
import type postgres from 'postgres';
import type { JSONValue } from 'postgres';
import { TenantId } from '#base/ids';
import type { Statement } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Actor } from './authorize.ts';

/** Any fixed number: one apply at a time for each tenant, over all servers. */
export const APPLY_LOCK = 7_076_003;

export type Revision = {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly version: string;
  readonly hash: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly reason: string;
  readonly material: boolean;
  readonly appliedAt: Date;
  readonly inForce: boolean;
};

export type StoredPolicy = {
  readonly tenant: string;
  readonly revision: number;
  readonly hash: string;
  readonly source: string;
  readonly prose: string | null;
  readonly appliedAt: Date;
};

export type Phase = 'expand' | 'contract';

export type StoredStatement = Statement & { readonly phase: Phase; readonly number: number };

/** The policies in force: of one tenant, or of all. */
export const readInForce = (sql: postgres.Sql, tenant: TenantId | null) => sql<StoredPolicy[]>`
  select tenant, revision, hash, source, prose, applied_at as "appliedAt"
  from troth.policies
  where in_force and (${tenant}::text is null or tenant = ${tenant})
  order by tenant
  limit 10000`;

/** Every revision of a tenant's policy, newest first. At most 1,000. */
export async function listRevisions(
  db: Pick<Database, 'sql'>,
  tenant: TenantId,
): Promise<Revision[]> {
  return db.sql<Revision[]>`
    select tenant, revision, document ->> 'version' as version, hash, actor_kind as "actorKind", actor_id as "actorId", reason,
           material, applied_at as "appliedAt", in_force as "inForce"
    from troth.policies
    where tenant = ${tenant}
    order by revision desc
    limit 1000`;
}

export type RevisionText = {
  readonly revision: number;
  readonly hash: string;
  readonly source: string;
  readonly document: Readonly<Record<string, unknown>>;
};

/** One revision as it was applied. */
export async function readRevision(
  db: Pick<Database, 'sql'>,
  tenant: TenantId,
  revision: number,
): Promise<RevisionText | undefined> {
  if (revision < 1 || revision > 2_147_483_647) return undefined;
  const [found] = await db.sql<RevisionText[]>`
    select revision, hash, source, document
    from troth.policies
    where tenant = ${tenant} and revision = ${revision}`;
  return found;
}

export type NewRevision = {
  readonly tenant: TenantId;
  readonly policy: Policy;
  readonly source: string;
  readonly prose: string | null;
  readonly actor: Actor;
  readonly reason: string;
  readonly material: boolean;
  readonly now: Date;
  readonly statements: readonly (StoredStatement & { readonly checksum: string })[];
};

/** Writes the revision and what it compiled to; not in force yet. Returns its number. */
export async function insertRevision(
  tx: postgres.TransactionSql,
  given: NewRevision,
): Promise<number> {
  const { tenant, policy, source, prose, actor, reason, material, now, statements } = given;
  const [made] = await tx<{ revision: number }[]>`
    insert into troth.policies (tenant, revision, hash, source, document, prose,
                                actor_kind, actor_id, reason, material, applied_at)
    select ${tenant}, coalesce(max(revision), 0) + 1, ${policyHash(policy)}, ${source},
           ${tx.json(documentOf(policy) as unknown as JSONValue)}, ${prose},
           ${actor.kind}, ${actor.id}, ${reason}, ${material}, ${now}
    from troth.policies
    where tenant = ${tenant}
    returning revision`;
  const revision = made?.revision ?? 0;
  const rows = statements.map((row) => ({ tenant, revision, ...row }));
  if (rows.length > 0) {
    const names = ['tenant', 'revision', 'phase', 'number', 'engine', 'statement', 'checksum'];
    await tx`insert into troth.policy_statements ${tx(rows as never, ...(names as never[]))}`;
  }
  return revision;
}

/** Whether a revision with this version has another document. */
export async function isVersionTaken(
  sql: postgres.Sql,
  { tenant, policy, hash }: { tenant: TenantId; policy: Policy; hash: string },
): Promise<boolean> {
  const taken = await sql`
    select 1
    from troth.policies
    where tenant = ${tenant} and document ->> 'version' = ${policy.version} and hash <> ${hash}
    limit 1`;
  return taken.length > 0;
}

/** Whether the service is being taken out, and that is not finished. */
export async function isBeingRemoved(sql: postgres.Sql, tenant: TenantId): Promise<boolean> {
  const open = await sql`
    select 1
    from troth.removals
    where tenant = ${tenant} and finished_at is null
    limit 1`;
  return open.length > 0;
}

/**
 * Takes a policy out of force, with nothing in its place, and lets every server hear of it. No
 * apply of this service runs meanwhile.
 *
 * @returns the revision that was in force; undefined when none was.
 */
export async function endPolicy(
  tx: postgres.TransactionSql,
  tenant: TenantId,
): Promise<number | undefined> {
  await tx`select pg_advisory_xact_lock(${APPLY_LOCK}, hashtext(${tenant}))`;
  const [ended] = await tx<{ revision: number }[]>`
    update troth.policies
    set in_force = false
    where tenant = ${tenant} and in_force
    returning revision`;
  await tx`select pg_notify('troth_policy', ${tenant})`;
  return ended?.revision;
}

/** The one row that decides. Returns the number of the revision that was in force before. */
export async function flipRevision(
  tx: postgres.TransactionSql,
  tenant: TenantId,
  revision: number,
): Promise<number | undefined> {
  const [old] = await tx<{ revision: number }[]>`
    update troth.policies
    set in_force = false
    where tenant = ${tenant} and in_force and revision <> ${revision}
    returning revision`;
  await tx`
    update troth.policies
    set in_force = true
    where tenant = ${tenant} and revision = ${revision}`;
  return old?.revision;
}

export const readOpenStatements = (
  sql: postgres.Sql,
  { tenant, revision, phase }: { tenant: TenantId; revision: number; phase: Phase },
) => sql<(StoredStatement & { checksum: string })[]>`
  select phase, number, engine, statement, checksum
  from troth.policy_statements
  where tenant = ${tenant} and revision = ${revision} and phase = ${phase} and done_at is null
  order by number
  limit 10000`;

export const markDone = (
  sql: postgres.Sql,
  given: { tenant: TenantId; revision: number; phase: Phase; number: number; now: Date },
) => sql`
  update troth.policy_statements
  set done_at = ${given.now}
  where tenant = ${given.tenant} and revision = ${given.revision}
    and phase = ${given.phase} and number = ${given.number}`;

/** Revisions in force whose contract phase a crash cut short. */
export async function readUnfinished(
  sql: postgres.Sql,
): Promise<{ tenant: TenantId; revision: number }[]> {
  const rows = await sql<{ tenant: string; revision: number }[]>`
    select distinct tenant, revision
    from troth.policy_statements
    join troth.policies using (tenant, revision)
    where in_force and phase = 'contract' and done_at is null
    order by tenant
    limit 10000`;
  return rows.map(({ tenant, revision }) => ({ tenant: TenantId(tenant), revision }));
}
