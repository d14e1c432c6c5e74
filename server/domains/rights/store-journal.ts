import type { Database } from '#platform/database';

type Sql = Database['sql'];

/** How many entries of the forget journal this database knows to be true. */
export async function readHeard(sql: Sql): Promise<number> {
  const [row] = await sql<{ entries: number }[]>`
    select entries::float8 as entries from forget_replays where journal = 'forget'`;
  return row?.entries ?? 0;
}

export async function writeHeard(sql: Sql, entries: number, now: Date): Promise<void> {
  await sql`
    insert into forget_replays (journal, entries, heard_at)
    values ('forget', ${entries}, ${now})
    on conflict (journal) do update
    set entries = excluded.entries, heard_at = excluded.heard_at`;
}
