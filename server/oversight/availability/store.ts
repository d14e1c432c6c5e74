import type { Database } from '#platform/database';

type Sql = Pick<Database, 'sql'>;

/** Notes one minute. Of several servers that ask, one that was answered is enough. */
export async function noteMinute({ sql }: Sql, at: Date, ready: boolean): Promise<void> {
  await sql`
    insert into troth.availability_minutes (minute, ready)
    values (date_trunc('minute', ${at}::timestamptz), ${ready})
    on conflict (minute) do update
    set ready = availability_minutes.ready or excluded.ready`;
}

export async function forgetMinutes({ sql }: Sql, before: Date): Promise<void> {
  await sql`
    delete from troth.availability_minutes
    where minute < ${before}`;
}

export type Measured = { readonly since: Date | null; readonly ready: number };

/** From the first minute that was noted in the window, and how many were good. */
export async function readMeasured({ sql }: Sql, from: Date): Promise<Measured> {
  const [row] = await sql<Measured[]>`
    select min(minute) as since, count(*) filter (where ready)::int as ready
    from troth.availability_minutes
    where minute >= ${from}`;
  return row ?? { since: null, ready: 0 };
}
