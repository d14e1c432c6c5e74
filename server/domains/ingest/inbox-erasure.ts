/**
 * People's rows that have not reached the event store: waiting in the inbox, or set aside.
 *
 * The mover drops rows of hidden people, so what waits is emptied by waiting for it; what was set
 * aside is written anew without them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { SubjectId, type TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import { ingestProblem } from './errors.ts';
import { decodeInbox, type InboxRow, ROW_BATCH_AT } from './inbox-format.ts';
import { readLayouts } from './inbox-store.ts';
import { stuckBody } from './inbox-stuck.ts';
import { subjectOf } from './mover-units.ts';

type Sql = Database['sql'];
type Counts = Map<string, Map<SubjectId, number>>;

const LOOK_EVERY_MS = 20;
const AT_ONCE = 50;
const PASSES_MAX = 3;

export type InboxErasure = {
  readonly name: 'inbox';
  count(tenant: TenantId, subjects: readonly SubjectId[]): Promise<Counts>;
  erase(tenant: TenantId, subjects: readonly SubjectId[]): Promise<void>;
};

type Body = { readonly id: string; readonly body: Buffer };

const readWaitingBodies = (sql: Sql, after: string) => sql<Body[]>`
  select id::text as id, body
  from inbox
  where id > ${after}::bigint
  order by id
  limit ${AT_ONCE}`;

const readStuckBodies = (sql: Sql, after: string) => sql<Body[]>`
  select id::text as id, body
  from inbox_stuck
  where id > ${after}::bigint
  order by id
  limit ${AT_ONCE}`;

async function writeStuck(sql: Sql, id: string, kept: readonly InboxRow[]): Promise<void> {
  const [first] = kept;
  if (!first) await sql`delete from inbox_stuck where id = ${id}::bigint`;
  else {
    const { layout, day, row } = first;
    const rows = kept.map((one) => one.row);
    const body = stuckBody({ layout, day, rows }, row.readBigUInt64LE(ROW_BATCH_AT));
    await sql`
      update inbox_stuck
      set rows = ${kept.length}, body = ${body}
      where id = ${id}::bigint`;
  }
}

async function lastWaiting(sql: Sql): Promise<string> {
  const [row] = await sql<{ last: string }[]>`
    select coalesce(max(id), 0)::text as last from inbox`;
  return row?.last ?? '0';
}

async function isMoved(sql: Sql, last: string): Promise<boolean> {
  const [row] = await sql<{ waiting: boolean }[]>`
    select exists (select 1 from inbox where id <= ${last}::bigint) as waiting`;
  return row?.waiting === false;
}

async function eachBody(
  read: (after: string) => Promise<readonly Body[]>,
  work: (one: Body) => Promise<void> | void,
): Promise<void> {
  for (let after = '0'; ; ) {
    const bodies = await read(after);
    for (const one of bodies) await work(one);
    const last = bodies.at(-1);
    if (!last || bodies.length < AT_ONCE) return;
    after = last.id;
  }
}

/**
 * Waits until what is in the inbox now is moved.
 *
 * @throws Problem ingest-busy after `waitMs`.
 */
export async function untilMoved(sql: Sql, waitMs: number): Promise<void> {
  const last = await lastWaiting(sql);
  for (let waited = 0; !(await isMoved(sql, last)); waited += LOOK_EVERY_MS) {
    if (waited >= waitMs) throw ingestProblem('ingest-busy', 'the event store is behind');
    await wait(LOOK_EVERY_MS);
  }
}

/** @param waitMs  how long the mover is waited for, in all. */
export function inboxErasure(sql: Sql, { waitMs = 30_000 } = {}): InboxErasure {
  const layouts = new Map<number, TenantId>();
  async function isOf(layout: number, tenant: TenantId): Promise<boolean> {
    if (!layouts.has(layout)) {
      for (const found of await readLayouts(sql, [layout])) layouts.set(found.id, found.tenant);
    }
    return layouts.get(layout) === tenant;
  }

  async function countIn(read: (after: string) => Promise<readonly Body[]>, among: Among) {
    const counts = new Map<SubjectId, number>();
    await eachBody(read, async ({ body }) => {
      for (const { layout, row } of decodeInbox(body)) {
        const subject = SubjectId(subjectOf(row));
        if (!among.people.has(subject) || !(await isOf(layout, among.tenant))) continue;
        counts.set(subject, (counts.get(subject) ?? 0) + 1);
      }
    });
    return counts;
  }

  const count: InboxErasure['count'] = async (tenant, subjects) => {
    const among = { tenant, people: new Set(subjects) };
    return new Map([
      ['inbox', await countIn((after) => readWaitingBodies(sql, after), among)],
      ['inbox_stuck', await countIn((after) => readStuckBodies(sql, after), among)],
    ]);
  };

  return {
    name: 'inbox',
    count,
    async erase(tenant, subjects) {
      for (let pass = 0; pass < PASSES_MAX; pass++) {
        await untilMoved(sql, waitMs);
        if (!(await count(tenant, subjects)).get('inbox')?.size) break;
      }
      const people = new Set(subjects);
      await eachBody(
        (after) => readStuckBodies(sql, after),
        async ({ id, body }) => {
          const rows = [...decodeInbox(body)];
          const first = rows[0];
          if (!first || !(await isOf(first.layout, tenant))) return;
          const kept = rows.filter(({ row }) => !people.has(SubjectId(subjectOf(row))));
          if (kept.length < rows.length) await writeStuck(sql, id, kept);
        },
      );
    },
  };
}

type Among = { readonly tenant: TenantId; readonly people: ReadonlySet<SubjectId> };
