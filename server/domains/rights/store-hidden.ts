/** People whom no read path shows any more, and whose late events are dropped. */
import type postgres from 'postgres';
import { SubjectId, type TenantId } from '#base/ids';
import type { Database } from '#platform/database';

type Sql = Database['sql'] | postgres.TransactionSql;

const HIDDEN_MAX = 1_000_000;

export async function hideSubjects(
  tx: Sql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
  until: Date,
): Promise<void> {
  await tx`
    insert into hidden_subjects (tenant, subject, until)
    select ${tenant}, subject, ${until}
    from unnest(${[...subjects]}::uuid[]) as hidden (subject)
    on conflict (tenant, subject) do update
    set until = greatest(hidden_subjects.until, excluded.until)`;
}

export async function showSubjects(
  tx: Sql,
  tenant: TenantId,
  subjects: readonly SubjectId[],
): Promise<void> {
  await tx`
    delete from hidden_subjects
    where tenant = ${tenant} and subject = any (${[...subjects]}::uuid[])`;
}

/** The late window is over: who comes now is somebody new, with another id. */
export async function forgetHidden(sql: Sql, now: Date): Promise<number> {
  const { count } = await sql`
    delete from hidden_subjects
    where until <= ${now}`;
  return count;
}

type Known = { readonly rows: number; readonly last: string };

const readKnown = async (sql: Sql): Promise<Known> => {
  const [known] = await sql<Known[]>`
    select count(*)::int as rows, coalesce(max(seq), 0)::text as last
    from hidden_subjects`;
  return known ?? { rows: 0, last: '0' };
};

type Row = { tenant: TenantId; subject: SubjectId };

const readAfter = (sql: Sql, last: string) => sql<Row[]>`
  select tenant, encode(uuid_send(subject), 'hex') as subject
  from hidden_subjects
  where seq > ${last}::bigint
  order by seq
  limit ${HIDDEN_MAX}`;

export type Hidden = {
  has(tenant: TenantId, subject: SubjectId): boolean;
  /** False lets the mover pass rows by without looking at them. */
  any(tenant: TenantId): boolean;
  /** For a condition of a query: everyone hidden in this service. */
  of(tenant: TenantId): readonly SubjectId[];
  /** Resolves when this process knows of everyone who was hidden before the call. */
  refresh(): Promise<void>;
  /** Counts late rows that were dropped. */
  noteDropped(tenant: TenantId, subject: SubjectId, rows: number): void;
  dropped(tenant: TenantId, subject: SubjectId): number;
};

const DROPPED_MAX = 100_000;
const NOBODY: ReadonlySet<SubjectId> = new Set();

/** Keeps the hidden people in memory. Whoever must not miss one calls `refresh` first. */
export async function openHidden({ sql }: Pick<Database, 'sql'>): Promise<Hidden> {
  let known: Known = { rows: 0, last: '0' };
  let people = new Map<TenantId, Set<SubjectId>>();
  const late = new Map<string, number>();
  const add = (to: typeof people, rows: readonly Row[]) => {
    for (const { tenant, subject } of rows) {
      const there = to.get(tenant);
      if (there) there.add(SubjectId(subject));
      else to.set(tenant, new Set([SubjectId(subject)]));
    }
  };

  async function refresh(): Promise<void> {
    const now = await readKnown(sql);
    if (now.rows === known.rows && now.last === known.last) return;
    const more = await readAfter(sql, known.last);
    if (known.rows + more.length === now.rows) add(people, more);
    else {
      // Somebody was released, or a window ended.
      const fresh: typeof people = new Map();
      add(fresh, await readAfter(sql, '0'));
      people = fresh;
    }
    known = now;
  }

  await refresh();
  return {
    refresh,
    has: (tenant, subject) => people.get(tenant)?.has(subject) === true,
    any: (tenant) => (people.get(tenant)?.size ?? 0) > 0,
    of: (tenant) => [...(people.get(tenant) ?? NOBODY)],
    noteDropped(tenant, subject, rows) {
      if (late.size >= DROPPED_MAX) late.clear();
      const name = `${tenant} ${subject}`;
      late.set(name, (late.get(name) ?? 0) + rows);
    },
    dropped: (tenant, subject) => late.get(`${tenant} ${subject}`) ?? 0,
  };
}
