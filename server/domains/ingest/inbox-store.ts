/** The inbox, its ledger and its layouts in PostgreSQL: one function per question. */

import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import type { InboxWriter } from './inbox.ts';
import type { IngestPlan } from './plan.ts';

type Sql = Database['sql'];

/** Writes inbox rows; each is a transaction of its own, durable when the promise resolves. */
export function inboxWriter(sql: Sql, now: () => Date): InboxWriter {
  return {
    async write(body, rows) {
      const [row] = await sql<{ id: string }[]>`
        insert into inbox (received_at, rows, bytes, body)
        values (${now()}, ${rows}, ${body.length}, ${body})
        returning id::text as id`;
      return row?.id ?? '0';
    },
  };
}

/** Names the columns of each table of a plan; the same columns keep their number for ever. */
export async function registerLayouts(sql: Sql, plan: IngestPlan): Promise<void> {
  for (const type of plan.types) {
    const columns = [...type.columns];
    await sql`
      insert into inbox_layouts (tenant, table_name, columns)
      values (${plan.tenant}, ${type.table}, ${columns})
      on conflict (tenant, table_name, columns) do nothing`;
    const [found] = await sql<{ id: number }[]>`
      select id from inbox_layouts
      where tenant = ${plan.tenant} and table_name = ${type.table} and columns = ${columns}
      limit 1`;
    type.layout = found?.id ?? 0;
  }
}

export type Layout = {
  readonly id: number;
  readonly tenant: TenantId;
  readonly table: string;
  readonly columns: readonly string[];
};

export async function readLayouts(sql: Sql, ids: readonly number[]): Promise<Layout[]> {
  return sql<Layout[]>`
    select id, tenant, table_name as table, columns
    from inbox_layouts
    where id = any(${[...ids]}::integer[])
    limit ${ids.length}`;
}

/** Which of these layouts are of a service that has ended. */
export async function readEndedLayouts(sql: Sql, ids: readonly number[]): Promise<number[]> {
  const rows = await sql<{ layout: number }[]>`
    select layout
    from inbox_ended_layouts
    where layout = any(${[...ids]}::integer[])
    limit ${ids.length}`;
  return rows.map(({ layout }) => layout);
}

/** Ends a service's layouts: rows under them that wait are let go of, and those set aside go. */
export async function endLayouts(sql: Sql, tenant: TenantId): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`
      insert into inbox_ended_layouts (layout)
      select id from inbox_layouts where tenant = ${tenant}
      on conflict do nothing`;
    await tx`
      delete from inbox_stuck
      where layout in (select id from inbox_layouts where tenant = ${tenant})`;
    await tx`delete from inbox_layouts where tenant = ${tenant}`;
  });
}

export type Waiting = {
  readonly id: string;
  readonly rows: number;
  readonly bytes: number;
  readonly receivedAt: Date;
};

/** The oldest rows of the inbox that no open round holds, without their bodies. */
export async function readWaiting(sql: Sql, most: number): Promise<Waiting[]> {
  return sql<Waiting[]>`
    select id::text as id, rows, bytes, received_at as "receivedAt"
    from inbox
    order by inbox.id
    limit ${most}`;
}

export async function readBodies(sql: Sql, ids: readonly string[]): Promise<Map<string, Buffer>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: string; body: Buffer }[]>`
    select id::text as id, body
    from inbox
    where id = any(${[...ids]}::bigint[])
    order by inbox.id
    limit ${ids.length}`;
  return new Map(rows.map(({ id, body }) => [id, body]));
}

export type Backlog = {
  readonly rows: number;
  readonly bytes: number;
  readonly oldest: Date | null;
};

/** How much waits: events, bytes of bodies, and the oldest receipt. */
export async function readBacklog(sql: Sql): Promise<Backlog> {
  const [row] = await sql<Backlog[]>`
    select coalesce(sum(rows), 0)::float8 as rows, coalesce(sum(bytes), 0)::float8 as bytes,
           min(received_at) as oldest
    from inbox`;
  return row ?? { rows: 0, bytes: 0, oldest: null };
}

export type RoundTable = { readonly layout: number; readonly day: number; readonly rows: number };
export type Round = { readonly id: string; readonly inboxIds: readonly string[] };

/** Commits what a round is going to insert, before it inserts. */
export async function openRound(
  sql: Sql,
  inboxIds: readonly string[],
  tables: readonly RoundTable[],
  now: Date,
): Promise<Round> {
  const [row] = await sql<{ id: string }[]>`
    insert into inbox_rounds (inbox_ids, tables, started_at)
    values (${[...inboxIds]}::bigint[], ${sql.json(tables.map((table) => ({ ...table })))}, ${now})
    returning id::text as id`;
  return { id: row?.id ?? '0', inboxIds };
}

/**
 * Rounds that a crash left between the two engines; at most one per mover that ever held the lock.
 */
export async function readOpenRounds(sql: Sql): Promise<Round[]> {
  return sql<Round[]>`
    select id::text as id, inbox_ids::text[] as "inboxIds"
    from inbox_rounds
    where settled_at is null
    order by inbox_rounds.id
    limit 100`;
}

/** Everything of the round is in the event store: its inbox rows go, both or neither. */
export async function settleRound(sql: Sql, round: Round, now: Date): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`delete from inbox where id = any(${[...round.inboxIds]}::bigint[])`;
    await tx`update inbox_rounds set settled_at = ${now} where id = ${round.id}::bigint`;
  });
}

/** The ledger is needed for as long as a retry may come; after that it only grows. */
export async function forgetRounds(sql: Sql, before: Date): Promise<void> {
  await sql`
    delete from inbox_rounds
    where settled_at < ${before}`;
}

export type Stuck = RoundTable & { readonly body: Buffer; readonly reason: number };

/** Sets rows aside that the event store will not take. Safe to repeat only within one round. */
export async function setAside(sql: Sql, stuck: Stuck, now: Date): Promise<void> {
  await sql`
    insert into inbox_stuck (layout, day, rows, body, reason, stuck_at)
    values (${stuck.layout}, ${stuck.day}, ${stuck.rows}, ${stuck.body}, ${stuck.reason}, ${now})`;
}

/** Gives the space of moved rows back at once, instead of when the engine finds the time. */
export async function vacuumInbox(sql: Sql): Promise<void> {
  await sql`vacuum (skip_locked, truncate false) inbox`;
}
