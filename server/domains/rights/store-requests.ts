/** Demands for erasure in PostgreSQL: one function per question. */
import type postgres from 'postgres';
import type { JSONValue } from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';
import type { SignedDocument } from '#base/signed-document';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import type { Erasure, ErasureId, ErasureState, Ground, KeysGone, LedgerRow } from './model.ts';

type Sql = Database['sql'] | postgres.TransactionSql;

/** Wakes the walkers of every server. */
export const ERASURES_CHANNEL = 'troth_erasures';

/** With the commit, so that they find what they are woken for. */
export async function wakeWalkers(tx: Sql): Promise<void> {
  await tx`select pg_notify(${ERASURES_CHANNEL}, '')`;
}

const OPEN_MAX = 1_000;

const columns = (sql: Sql) => sql`
  id, tenant, encode(uuid_send(erasures.subject), 'hex') as subject, found, complete, reason,
  verified, revision, state, ground, requested_at as "requestedAt", hidden_at as "hiddenAt",
  destroy_at as "destroyAt", key_destroyed_at as "keyDestroyedAt", deleted_at as "deletedAt",
  finished_at as "finishedAt", alarmed_at as "alarmedAt", keys, trouble`;

export type NewErasure = Pick<
  Erasure,
  'id' | 'subject' | 'found' | 'complete' | 'reason' | 'verified' | 'state' | 'ground' | 'destroyAt'
> & {
  readonly subjects: readonly SubjectId[];
  readonly repeatKey: Buffer | null;
  readonly sealed: Buffer | null;
  readonly now: Date;
};

/** @returns false when another one for the same person, or of the same key, is there already. */
export async function insertErasure(
  tx: Sql,
  { tenant, revision }: Permit<'subject.erase'>,
  given: NewErasure,
): Promise<boolean> {
  const { id, subject, found, complete, reason, verified, repeatKey, state, ground, now } = given;
  const { count } = await tx`
    insert into erasures (id, tenant, subject, found, complete, reason, verified, repeat_key,
                          revision, state, ground, requested_at, destroy_at, sealed)
    values (${id}, ${tenant}, ${subject}, ${found}, ${complete}, ${reason}, ${verified},
            ${repeatKey}, ${revision}, ${state}, ${ground}, ${now}, ${given.destroyAt},
            ${given.sealed})
    on conflict do nothing`;
  if (count === 0) return false;
  await tx`
    insert into erasure_subjects (erasure, tenant, subject)
    select ${id}, ${tenant}, subject
    from unnest(${[...given.subjects]}::uuid[]) as linked (subject)`;
  return true;
}

export async function readErasure(
  sql: Sql,
  tenant: TenantId,
  id: ErasureId,
): Promise<Erasure | undefined> {
  const [row] = await sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where id = ${id} and tenant = ${tenant}`;
  return row;
}

/** The one that a repeated demand means: of the same key, or open for the same person. */
export async function readEarlier(
  sql: Sql,
  tenant: TenantId,
  { subject, repeatKey }: { subject: SubjectId | null; repeatKey: Buffer | null },
): Promise<Erasure | undefined> {
  const [row] = await sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where tenant = ${tenant}
      and (repeat_key = ${repeatKey}
           or (erasures.subject = ${subject}::uuid and state not in ('done', 'undone')))
    order by repeat_key = ${repeatKey} desc nulls last
    limit 1`;
  return row;
}

/** Those whose person's key is gone, or going: by then the keyring no longer says whose they are. */
export async function readShredding(sql: Sql, tenant: TenantId): Promise<Erasure[]> {
  return sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where tenant = ${tenant} and erasures.subject is not null and sealed is not null
      and state in ('recorded', 'shredded', 'deleted')
    order by requested_at
    limit ${OPEN_MAX}`;
}

/** Ends the time in which a hidden person may come back. */
export async function endRecovery(
  sql: Sql,
  { id, verified, now }: { id: ErasureId; verified: string | null; now: Date },
): Promise<boolean> {
  const { count } = await sql`
    update erasures
    set destroy_at = ${now}, complete = true, verified = coalesce(${verified}, verified)
    where id = ${id} and state = 'hidden' and destroy_at > ${now}`;
  return count > 0;
}

/** The latest of a tenant, newest first. */
export async function readErasures(sql: Sql, tenant: TenantId, limit: number): Promise<Erasure[]> {
  return sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where tenant = ${tenant}
    order by requested_at desc
    limit ${limit}`;
}

/** What is to be walked on: oldest first, at most a thousand, so that they share the work. */
export async function readOpen(sql: Sql, states: readonly ErasureState[]): Promise<Erasure[]> {
  return sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where state = any (${[...states]}) and state not in ('done', 'undone')
    order by requested_at, id
    limit ${OPEN_MAX}`;
}

/** Undoings that were cut off, and traces that outlived their erasure. */
export async function readLeftovers(sql: Sql): Promise<Erasure[]> {
  return sql<Erasure[]>`
    select ${columns(sql)}
    from erasures
    where (state = 'done' and sealed is not null)
       or (state = 'undone' and (sealed is not null or finished_at is null))
    order by requested_at
    limit ${OPEN_MAX}`;
}

export async function readSubjects(
  sql: Sql,
  ids: readonly ErasureId[],
): Promise<Map<ErasureId, SubjectId[]>> {
  const rows = await sql<{ erasure: ErasureId; subjects: SubjectId[] }[]>`
    select erasure, array_agg(encode(uuid_send(subject), 'hex') order by subject) as subjects
    from erasure_subjects
    where erasure = any (${[...ids]}::uuid[])
    group by erasure
    limit ${Math.max(1, ids.length)}`;
  return new Map(rows.map(({ erasure, subjects }) => [erasure, subjects]));
}

type Change = {
  readonly state: ErasureState;
  readonly ground?: Ground | null;
  readonly hiddenAt?: Date;
  readonly keyDestroyedAt?: Date;
  readonly deletedAt?: Date;
  readonly finishedAt?: Date;
  readonly keys?: KeysGone;
  readonly certificate?: SignedDocument;
};

/** Only from a state that comes before it: a slower server never takes a step back. */
export async function changeErasure(
  sql: Sql,
  { id, from }: { id: ErasureId; from: readonly ErasureState[] },
  change: Change,
): Promise<boolean> {
  const json = (value: unknown) => (value === undefined ? null : sql.json(value as JSONValue));
  const { count } = await sql`
    update erasures
    set state = ${change.state},
        ground = ${change.ground ?? null},
        hidden_at = coalesce(hidden_at, ${change.hiddenAt ?? null}),
        key_destroyed_at = coalesce(key_destroyed_at, ${change.keyDestroyedAt ?? null}),
        deleted_at = coalesce(${change.deletedAt ?? null}, deleted_at),
        finished_at = ${change.finishedAt ?? null},
        keys = coalesce(keys, ${json(change.keys)}),
        certificate = ${json(change.certificate)},
        trouble = null
    where id = ${id} and state = any (${[...from]})`;
  return count > 0;
}

export async function noteTrouble(sql: Sql, id: ErasureId, trouble: string): Promise<void> {
  await sql`
    update erasures
    set trouble = ${trouble}
    where id = ${id} and state not in ('done', 'undone')`;
}

export async function readSealed(
  sql: Sql,
  ids: readonly ErasureId[],
): Promise<Map<ErasureId, Buffer>> {
  const rows = await sql<{ id: ErasureId; sealed: Buffer }[]>`
    select id, sealed
    from erasures
    where id = any (${[...ids]}::uuid[]) and sealed is not null
    limit ${Math.max(1, ids.length)}`;
  return new Map(rows.map(({ id, sealed }) => [id, sealed]));
}

export async function writeSealed(sql: Sql, id: ErasureId, sealed: Buffer | null): Promise<void> {
  await sql`update erasures set sealed = ${sealed} where id = ${id}`;
}

export async function readCertificate(
  sql: Sql,
  tenant: TenantId,
  id: ErasureId,
): Promise<SignedDocument | undefined> {
  const [row] = await sql<{ certificate: SignedDocument | null }[]>`
    select certificate
    from erasures
    where id = ${id} and tenant = ${tenant}`;
  return row?.certificate ?? undefined;
}

export type LedgerEntry = Omit<LedgerRow, 'at'> & { readonly erasure: ErasureId };

/** Adds to the ledgers. A repeated count never makes less of what was counted first. */
export async function writeLedger(
  sql: Sql,
  rows: readonly LedgerEntry[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into erasure_ledger (erasure, store, place, counted, remains, at)
    select erasure, store, place, counted, remains, ${now}
    from unnest(${rows.map(({ erasure }) => erasure)}::uuid[],
                ${rows.map(({ store }) => store)}::text[],
                ${rows.map(({ place }) => place)}::text[],
                ${rows.map(({ counted }) => counted)}::bigint[],
                ${rows.map(({ remains }) => remains)}::bigint[])
         as given (erasure, store, place, counted, remains)
    on conflict (erasure, store, place) do update
    set counted = greatest(erasure_ledger.counted, excluded.counted),
        remains = excluded.remains,
        at = excluded.at`;
}

/** Several at once; an erasure without a row yet is not in the answer. */
export async function readLedgers(
  sql: Sql,
  ids: readonly ErasureId[],
): Promise<Map<ErasureId, LedgerRow[]>> {
  const rows = await sql<(LedgerRow & { erasure: ErasureId })[]>`
    select erasure, store, place, counted::float8 as counted, remains::float8 as remains, at
    from erasure_ledger
    where erasure = any (${[...ids]}::uuid[])
    order by erasure, store, place
    limit 1000000`;
  const ledgers = new Map<ErasureId, LedgerRow[]>();
  for (const { erasure, ...row } of rows) {
    const there = ledgers.get(erasure);
    if (there) there.push(row);
    else ledgers.set(erasure, [row]);
  }
  return ledgers;
}

export const readLedger = async (sql: Sql, id: ErasureId): Promise<LedgerRow[]> =>
  (await readLedgers(sql, [id])).get(id) ?? [];

/** Several at once: their rows are gone. */
export async function noteDeleted(
  sql: Sql,
  ids: readonly ErasureId[],
  deletedAt: Date,
): Promise<void> {
  await sql`
    update erasures
    set state = 'deleted', deleted_at = ${deletedAt}, trouble = null
    where id = any (${[...ids]}::uuid[]) and state = 'shredded'`;
}

/** Whether an erasure of this person is on record; `isFinal` asks for one that is not undoable. */
export async function isForgotten(
  sql: Sql,
  tenant: TenantId,
  { subject, isFinal }: { subject: SubjectId; isFinal: boolean },
): Promise<boolean> {
  const [row] = await sql<{ known: boolean }[]>`
    select exists (
      select 1
      from erasure_subjects as linked
      join erasures on erasures.id = linked.erasure
      where linked.tenant = ${tenant} and linked.subject = ${subject}
        and state not in ('undone', 'held')
        and (${!isFinal} or state != 'hidden')) as known`;
  return row?.known === true;
}

/** Forgets erasures that ended before and what was noted of them, and holds that were lifted. */
export async function sweepErasures(tx: Sql, tenant: TenantId, before: Date): Promise<number> {
  await tx`
    delete from troth.holds
    where tenant = ${tenant} and lifted_at < ${before}`;
  const { count } = await tx`
    delete from troth.erasures
    where tenant = ${tenant} and state in ('done', 'undone') and sealed is null
      and requested_at < ${before} and finished_at is not null`;
  return count;
}

export type ErasuresAge = { readonly rows: number; readonly oldest: Date | null };

export async function erasuresAge(sql: Sql, tenant: TenantId): Promise<ErasuresAge> {
  const [age] = await sql<ErasuresAge[]>`
    select count(*)::float8 as rows, min(requested_at) as oldest
    from erasures
    where tenant = ${tenant}`;
  return age ?? { rows: 0, oldest: null };
}
