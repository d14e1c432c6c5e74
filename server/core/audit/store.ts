import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import type { JSONValue } from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';
import { type Action, isPrivileged, type Permit } from '#core/policy';
import type { TenantTx } from '#core/tenancy';
import type { Database } from '#platform/database';
import {
  type AuditAct,
  type AuditEntry,
  checkFields,
  commitmentsOf,
  type IntentId,
  leafHashOf,
  type Refusal,
} from './model.ts';
import { checkLogHealth } from './tree-store.ts';

type Row = AuditEntry & { readonly sealedSalt: Uint8Array | null };

/** A tenant's transaction, or one of the control schema (then the act says when it was). */
type AuditTx = TenantTx | (postgres.TransactionSql & { readonly now: Date });

const insertRows = (sql: postgres.ISql, rows: readonly Row[], repeat = sql``) => {
  const values = rows.map((row) => ({
    id: row.id,
    tenant: row.tenant,
    at: row.at,
    kind: row.kind,
    event: row.event,
    actor_kind: row.actorKind,
    actor_id: row.actorId,
    action: row.action,
    subject: row.subject,
    fields: sql.json(row.fields as unknown as JSONValue),
    commitments: row.commitments && sql.json(row.commitments as unknown as JSONValue),
    sealed_salt: row.sealedSalt,
    revision: row.revision,
    intent: row.intent,
    leaf_hash: leafHashOf(entryOf(row)),
  }));
  // Typed parameters stand for all columns, so nothing of a row becomes part of the statement.
  return sql`insert into troth.audit_entries ${sql(values as never[])} ${repeat}`;
};

const entryOf = ({ sealedSalt: _, ...entry }: Row): AuditEntry => entry;

function rowOf(permit: Permit, act: AuditAct, more: Pick<AuditEntry, 'at' | 'kind'>): Row {
  const { event, subject, fields, personal } = act;
  return {
    id: randomUUID(),
    ...more,
    tenant: permit.tenant,
    event,
    actorKind: permit.actor.kind,
    actorId: permit.actor.id,
    action: permit.action,
    subject: subject ?? null,
    fields: checkFields(fields ?? {}),
    commitments: personal ? commitmentsOf(personal) : null,
    sealedSalt: personal ? personal.sealedSalt : null,
    // The installation itself has no policy, hence no revision of one.
    revision: permit.revision === 0 ? null : permit.revision,
    intent: null,
  };
}

/**
 * Writes the entry of an act in the act's own transaction: both are there, or neither.
 *
 * @returns the entry's id.
 * @throws Problem audit-log-unwritable, audit-log-damaged: an act that matters is not done then.
 */
export async function appendAudit(tx: AuditTx, permit: Permit, act: AuditAct): Promise<string> {
  const [id = ''] = await appendAudits(tx, permit, [act]);
  return id;
}

/** The same for several acts under one permit, in one statement. */
export async function appendAudits(
  tx: AuditTx,
  permit: Permit,
  acts: readonly AuditAct[],
): Promise<string[]> {
  if (acts.length > 0 && isPrivileged(permit.action)) await checkLogHealth(tx, permit.tenant);
  return insertActs(tx, permit, acts);
}

/**
 * Writes the entry of what was decided before and is made true again, as after a restore. It is no
 * new act, so a damaged log does not stand against it: the entry waits until the log is mended.
 */
export async function appendReplayed(tx: AuditTx, permit: Permit, act: AuditAct): Promise<void> {
  await insertActs(tx, permit, [act]);
}

async function insertActs(
  tx: AuditTx,
  permit: Permit,
  acts: readonly AuditAct[],
): Promise<string[]> {
  assert.ok(!('tenant' in tx) || tx.tenant === permit.tenant, 'a permit of another tenant');
  if (acts.length === 0) return [];
  const rows = acts.map((act) => rowOf(permit, act, { at: tx.now, kind: 'act' }));
  await insertRows(tx, rows);
  return rows.map(({ id }) => id);
}

/**
 * Writes a refusal in a transaction of its own: what was refused rolls back, and would take its
 * entry along. Call it before the answer.
 */
export async function recordRefusal(
  db: Pick<Database, 'sql'>,
  { tenant, actor, action, code, subject, count, now }: Refusal,
): Promise<void> {
  const row: Row = {
    id: randomUUID(),
    tenant,
    at: now,
    kind: 'refusal',
    event: 'act.refused',
    actorKind: actor.kind,
    actorId: actor.id,
    action,
    subject: subject ?? null,
    fields: checkFields(count === undefined ? { code } : { code, count }),
    commitments: null,
    sealedSalt: null,
    revision: null,
    intent: null,
  };
  await insertRows(db.sql, [row]);
}

/**
 * Says, durably and before it happens, that something outside PostgreSQL is about to be done.
 * `event` is what will have happened once it is.
 *
 * @throws Problem audit-log-unwritable, audit-log-damaged: it must not be done then.
 */
export async function beginIntent(
  db: Pick<Database, 'sql'>,
  permit: Permit,
  { now, ...act }: AuditAct & { readonly now: Date },
): Promise<IntentId> {
  const [begun] = await beginIntents(db, [permit], { now, ...act });
  assert.ok(begun);
  return begun.intent;
}

/** The same in the logs of several tenants, for an act that concerns all of them: all, or none. */
export async function beginIntents<Allowed extends Permit>(
  db: { readonly sql: postgres.ISql },
  permits: readonly Allowed[],
  { now, ...act }: AuditAct & { readonly now: Date },
): Promise<{ permit: Allowed; intent: IntentId }[]> {
  for (const { action, tenant } of permits) {
    if (isPrivileged(action)) await checkLogHealth(db.sql, tenant);
  }
  const rows = permits.map((permit) => rowOf(permit, act, { at: now, kind: 'intent' }));
  if (rows.length > 0) await insertRows(db.sql, rows);
  return permits.map((permit, at) => ({ permit, intent: rows[at]?.id as IntentId }));
}

/**
 * Says how an intent ended. In a transaction of its own, or in the one that follows from it.
 *
 * @returns false when it was settled already.
 */
export async function settleIntent(
  where: { readonly sql: postgres.ISql } | TenantTx,
  permit: Permit,
  outcome: { readonly intent: IntentId; readonly done: boolean; readonly now: Date },
): Promise<boolean> {
  const sql: postgres.ISql = 'sql' in where ? where.sql : where;
  const [begun] = await sql<{ event: AuditAct['event']; subject: SubjectId | null }[]>`
    select event, encode(uuid_send(subject), 'hex') as subject
    from troth.audit_entries
    where id = ${outcome.intent} and tenant = ${permit.tenant} and kind = 'intent'`;
  assert.ok(begun, 'there is no such intent');
  const { event, subject } = begun;
  const act = { event, ...(subject ? { subject } : {}), fields: { done: outcome.done } };
  const row = rowOf(permit, act, { at: outcome.now, kind: 'outcome' });
  const once = sql`on conflict (intent) where kind = 'outcome' do nothing`;
  const { count } = await insertRows(sql, [{ ...row, intent: outcome.intent }], once);
  return count > 0;
}

export type OpenIntent = {
  readonly intent: IntentId;
  readonly tenant: TenantId;
  readonly event: string;
  readonly action: Action;
  readonly subject: SubjectId | null;
  readonly fields: Readonly<Record<string, number | boolean | string>>;
  readonly at: Date;
};

/** What a crash left open, oldest first; at most 1,000. Finished at start, before serving. */
export async function openIntents(
  db: Pick<Database, 'sql'>,
  tenant?: TenantId,
): Promise<OpenIntent[]> {
  return db.sql<OpenIntent[]>`
    select intended.id as intent, tenant, event, action, fields, at,
           encode(uuid_send(subject), 'hex') as subject
    from troth.audit_entries as intended
    where kind = 'intent'
      and (${tenant ?? null}::text is null or tenant = ${tenant ?? null})
      and not exists (
        select 1 from troth.audit_entries as outcome
        where outcome.intent = intended.id and outcome.kind = 'outcome')
    order by seq
    limit 1000`;
}

export type StoredEntry = AuditEntry & { readonly seq: number; readonly leafHash: Buffer };

/** Entries of one tenant after a position, oldest first. `limit` is at most 1,000. */
export async function readAudit(
  db: Pick<Database, 'sql'>,
  { tenant, after = 0, limit = 100 }: { tenant: TenantId; after?: number; limit?: number },
): Promise<StoredEntry[]> {
  return db.sql<StoredEntry[]>`
    select seq::int8::float8 as seq, id, tenant, at, kind, event, actor_kind as "actorKind",
           actor_id as "actorId", action, encode(uuid_send(subject), 'hex') as subject, fields,
           commitments, revision, intent, leaf_hash as "leafHash"
    from troth.audit_entries
    where tenant = ${tenant} and seq > ${after}
    order by seq
    limit ${Math.min(limit, 1_000)}`;
}
