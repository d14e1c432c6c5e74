/** Holds: recorded grounds on which an erasure waits. */
import type postgres from 'postgres';
import type { SubjectId, TenantId } from '#base/ids';
import type { Permit } from '#core/policy';
import type { Database } from '#platform/database';
import type { Ground } from './model.ts';

type Sql = Database['sql'] | postgres.TransactionSql;

export type Hold = {
  readonly id: string;
  readonly subject: SubjectId;
  readonly ground: Ground;
  /** When it ends by itself. */
  readonly until: Date | null;
  readonly approver: string | null;
  /** SHA-256 of the written balancing test, in hexadecimal digits. */
  readonly assessment: string | null;
  readonly placedAt: Date;
  readonly liftedAt: Date | null;
};

const columns = (sql: Sql) => sql`
  id, encode(uuid_send(holds.subject), 'hex') as subject, ground, until, approver,
  encode(assessment, 'hex') as assessment, placed_at as "placedAt", lifted_at as "liftedAt"`;

export type NewHold = Omit<Hold, 'placedAt' | 'liftedAt'> & { readonly now: Date };

/** A hold that stands already on the same ground is left as it is. @returns the one that stands. */
export async function insertHold(
  tx: Sql,
  { tenant }: Permit<'hold.place'>,
  { id, subject, ground, until, approver, assessment, now }: NewHold,
): Promise<Hold> {
  await tx`
    insert into holds (id, tenant, subject, ground, until, approver, assessment, placed_at)
    values (${id}, ${tenant}, ${subject}, ${ground}, ${until}, ${approver},
            ${assessment === null ? null : Buffer.from(assessment, 'hex')}, ${now})
    on conflict do nothing`;
  const [hold] = await tx<Hold[]>`
    select ${columns(tx)}
    from holds
    where tenant = ${tenant} and holds.subject = ${subject} and ground = ${ground}
      and lifted_at is null`;
  if (!hold) throw new Error('a hold that was to stand does not');
  return hold;
}

export async function liftHold(
  tx: Sql,
  { tenant }: Permit<'hold.place'>,
  { id, now }: { id: string; now: Date },
): Promise<Hold | undefined> {
  const [hold] = await tx<Hold[]>`
    update holds
    set lifted_at = ${now}
    where id = ${id} and tenant = ${tenant} and lifted_at is null
    returning ${columns(tx)}`;
  return hold;
}

/** The ground that stands against forgetting any of these people. */
export async function standingGround(
  sql: Sql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
  now: Date,
): Promise<Ground | null> {
  const [hold] = await sql<{ ground: Ground }[]>`
    select ground
    from holds
    where tenant = ${tenant} and lifted_at is null and (until is null or until > ${now})
      and subject = any (${[...subjects]}::uuid[])
    order by placed_at
    limit 1`;
  return hold?.ground ?? null;
}

export async function readHolds(sql: Sql, tenant: TenantId): Promise<Hold[]> {
  return sql<Hold[]>`
    select ${columns(sql)}
    from holds
    where tenant = ${tenant} and lifted_at is null
    order by placed_at
    limit 1000`;
}

/** Lifts whatever stands on this ground; for a replay, which knows no ids. */
export async function liftStanding(
  sql: Sql,
  { tenant }: Permit<'hold.place'>,
  { subject, ground, now }: { subject: SubjectId; ground: Ground; now: Date },
): Promise<void> {
  await sql`
    update holds
    set lifted_at = ${now}
    where tenant = ${tenant} and subject = ${subject} and ground = ${ground}
      and lifted_at is null`;
}
