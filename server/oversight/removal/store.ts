/** Removals on record, and the rows of a service in the tables that all services share. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { JSONValue } from 'postgres';
import { KeyId, type TenantId } from '#base/ids';
import type { ActorKind } from '#core/policy';
import type { Held } from '#core/tenancy';
import type { Removal, RemovalId } from './model.ts';

/** What stays of a service: the record of what was done, and the texts that were in force. */
const STAYS: readonly string[] = [
  'audit_cuts',
  'audit_entries',
  'audit_leaves',
  'audit_pending',
  'audit_trees',
  'policies',
  'policy_statements',
  'removals',
];
const STILL_NAMED = '23503';
const PASSES_MAX = 10;

/** Every shared table with rows of services, by the catalogue: none is forgotten. */
async function sharedTables(sql: postgres.ISql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select relname as name
    from pg_class
    join pg_attribute on attrelid = pg_class.oid
    where relnamespace = 'troth'::regnamespace
      and relkind in ('r', 'p')
      and attname = 'tenant'
      and not attisdropped
    order by relname
    limit 1000`;
  return rows.map(({ name }) => name);
}

/** Rows of a service in the shared tables: those that go, and those that stay. */
export async function countShared(
  sql: postgres.Sql,
  tenant: TenantId,
): Promise<{ lost: Held[]; stays: Held[] }> {
  const [lost, stays]: [Held[], Held[]] = [[], []];
  for (const name of await sharedTables(sql)) {
    const [row] = await sql<{ rows: number }[]>`
      select count(*)::float8 as rows from troth.${sql(name)} where tenant = ${tenant}`;
    const held = { store: 'postgresql', place: `troth.${name}`, rows: row?.rows ?? 0 };
    (STAYS.includes(name) ? stays : lost).push(held);
  }
  return { lost, stays };
}

/** Deletes them; what another table still names is tried again after that one. */
export async function deleteShared(tx: postgres.TransactionSql, tenant: TenantId): Promise<void> {
  let left = (await sharedTables(tx)).filter((name) => !STAYS.includes(name));
  for (let pass = 1; left.length > 0; pass++) {
    const named: string[] = [];
    for (const name of left) {
      try {
        await tx.savepoint(
          (inner) => inner`delete from troth.${inner(name)} where tenant = ${tenant}`,
        );
      } catch (error) {
        if ((error as { code?: string }).code !== STILL_NAMED || pass === PASSES_MAX) throw error;
        named.push(name);
      }
    }
    left = named;
  }
}

export async function countOpen(
  sql: postgres.ISql,
  tenant: TenantId,
): Promise<{ openErasures: number; holds: number }> {
  const [row] = await sql<{ openErasures: number; holds: number }[]>`
    select
      (select count(*)::int from troth.erasures
       where tenant = ${tenant} and state not in ('done', 'undone')) as "openErasures",
      (select count(*)::int from troth.holds
       where tenant = ${tenant} and lifted_at is null) as holds`;
  return row ?? { openErasures: 0, holds: 0 };
}

export const newId = (): RemovalId => randomUUID() as string as RemovalId;

export async function insertRemoval(tx: postgres.ISql, removal: Removal): Promise<void> {
  const { id, tenant, revision, digest, actor, requestedAt, lost, finishedAt } = removal;
  await tx`
    insert into troth.removals
      (id, tenant, revision, digest, actor_kind, actor_id, requested_at, lost, finished_at)
    values (${id}, ${tenant}, ${revision}, ${digest}, ${actor.kind}, ${actor.id}, ${requestedAt},
            ${tx.json(lost as unknown as JSONValue)}, ${finishedAt})`;
}

export async function finishRemoval(tx: postgres.ISql, id: RemovalId, now: Date): Promise<boolean> {
  const finished = await tx`
    update troth.removals set finished_at = ${now}
    where id = ${id} and finished_at is null
    returning id`;
  return finished.length > 0;
}

type Row = Omit<Removal, 'actor'> & { readonly actorKind: ActorKind; readonly actorId: string };

/** All removals, newest first; at most 10,000. */
export async function readRemovals(sql: postgres.ISql): Promise<Removal[]> {
  const rows = await sql<Row[]>`
    select id, tenant, revision, digest, actor_kind as "actorKind", actor_id as "actorId",
           requested_at as "requestedAt", lost, finished_at as "finishedAt"
    from troth.removals
    order by requested_at desc
    limit 10000`;
  return rows.map(({ actorKind, actorId, ...row }) => ({
    ...row,
    actor: { kind: actorKind, id: KeyId(actorId) },
  }));
}

/** Whether the database knows the service, and it was not taken out. */
export async function isThere(sql: postgres.ISql, tenant: TenantId): Promise<boolean> {
  const found = await sql`
    select 1 from troth.tenants where id = ${tenant} and removed_at is null limit 1`;
  return found.length > 0;
}
