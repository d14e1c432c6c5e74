import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import type { DayFound, LastFound } from './model.ts';
import type { Finding } from './prover.ts';

type Sql = Database['sql'];

const PROMISES_MAX = 100_000;

export type Change = {
  readonly promise: string;
  readonly before: string | null;
  /** It had been found broken, and not kept since. */
  readonly alarmed: boolean;
  readonly state: Finding['state'];
};

/** Puts a finding on record for every promise that stands on it. @returns what changed by it. */
export async function recordFinding(sql: postgres.ISql, finding: Finding): Promise<Change[]> {
  const { tenant, revision, state, saw, control, strength, blindTo, at, tookMs } = finding;
  const promises = [...finding.promises];
  const before = await sql<{ promise: string; state: string; alarmed: boolean }[]>`
    select promise, state, alarmed
    from troth.promise_states
    where tenant = ${tenant} and promise = any(${promises}::text[])
    order by promise
    for update
    limit ${PROMISES_MAX}`;
  await sql`
    insert into troth.promise_states
      (tenant, promise, revision, state, saw, control, strength, blind_to, found_at, since, took_ms,
       alarmed)
    select ${tenant}, promise, ${revision}, ${state}, ${saw.slice(0, 2_000)}, ${control},
           ${strength}, ${blindTo}, ${at}, ${at}, ${tookMs}, ${state} = 'broken'
    from unnest(${promises}::text[]) as promise
    order by promise
    on conflict (tenant, promise) do update
    set revision = excluded.revision, state = excluded.state, saw = excluded.saw,
        control = excluded.control, strength = excluded.strength, blind_to = excluded.blind_to,
        found_at = excluded.found_at, took_ms = excluded.took_ms,
        alarmed = excluded.alarmed or (promise_states.alarmed and excluded.state = 'gap'),
        since = case when promise_states.state = excluded.state then promise_states.since
                     else excluded.since end`;
  await sql`
    insert into troth.promise_days (tenant, promise, day, kept, broken, gap)
    select ${tenant}, promise, ${at}::timestamptz::date, (${state} = 'kept')::int,
           (${state} = 'broken')::int, (${state} = 'gap')::int
    from unnest(${promises}::text[]) as promise
    order by promise
    on conflict (tenant, promise, day) do update
    set kept = promise_days.kept + excluded.kept,
        broken = promise_days.broken + excluded.broken,
        gap = promise_days.gap + excluded.gap`;
  const was = new Map(before.map((row) => [row.promise, row]));
  return promises
    .map((promise) => {
      const earlier = was.get(promise);
      const alarmed = earlier?.alarmed ?? false;
      return { promise, before: earlier?.state ?? null, state, alarmed };
    })
    .filter((change) => change.before !== change.state);
}

export async function readLastFound(sql: Sql): Promise<(LastFound & { tenant: TenantId })[]> {
  return sql<(LastFound & { tenant: TenantId })[]>`
    select tenant, promise, revision::int8::float8 as revision, state, saw, control, strength,
           blind_to as "blindTo", found_at as "foundAt", since, took_ms::float8 as "tookMs"
    from troth.promise_states
    limit ${PROMISES_MAX}`;
}

/** The days of one service, oldest first. */
export async function readDays(sql: Sql, tenant: TenantId, from: Date): Promise<DayFound[]> {
  return sql<DayFound[]>`
    select promise, to_char(day, 'YYYY-MM-DD') as day, kept::float8 as kept,
           broken::float8 as broken, gap::float8 as gap
    from troth.promise_days
    where tenant = ${tenant} and day >= ${from}
    order by promise, day
    limit ${PROMISES_MAX}`;
}

/** Removes days that no strip shows any more. */
export async function sweepDays(sql: Sql, before: Date): Promise<number> {
  const { count } = await sql`delete from troth.promise_days where day < ${before}`;
  return count;
}

export async function readVerificationKeys(
  sql: Sql,
): Promise<{ keyId: string; tenant: TenantId }[]> {
  return sql<{ keyId: string; tenant: TenantId }[]>`
    select key_id as "keyId", tenant
    from troth.verification_keys
    limit ${PROMISES_MAX}`;
}

export async function noteVerificationKey(sql: postgres.ISql, keyId: string, tenant: TenantId) {
  await sql`insert into troth.verification_keys (key_id, tenant) values (${keyId}, ${tenant})`;
}

export async function dropVerificationKey(sql: Sql, keyId: string): Promise<void> {
  await sql`delete from troth.verification_keys where key_id = ${keyId}`;
}
