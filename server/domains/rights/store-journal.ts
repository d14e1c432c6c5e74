import type postgres from 'postgres';
import type { Database } from '#platform/database';

type Sql = Database['sql'];

const SPARED_MAX = 1_000_000;

/** How many entries of the forget journal this database knows to be true. */
export async function readHeard(sql: Sql): Promise<number> {
  const [row] = await sql<{ entries: number }[]>`
    select entries::float8 as entries from forget_replays where journal = 'forget'`;
  return row?.entries ?? 0;
}

/** Canaries whose demands were removed after they had been heard of: `tenant subject`. */
export async function readSpared(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql<{ tenant: string; subject: string }[]>`
    select tenant, encode(uuid_send(subject), 'hex') as subject
    from forget_spared
    limit ${SPARED_MAX}`;
  return new Set(rows.map(({ tenant, subject }) => `${tenant} ${subject}`));
}

/** From here on nobody has to be spared: what comes before is not replayed. */
export async function writeHeard(sql: Sql, entries: number, now: Date): Promise<void> {
  await sql.begin(async (tx) => {
    await noteHeard(tx, entries, now);
    await tx`delete from forget_spared`;
  });
}

async function noteHeard(tx: postgres.TransactionSql, entries: number, now: Date): Promise<void> {
  await tx`
    insert into forget_replays (journal, entries, heard_at)
    values ('forget', ${entries}, ${now})
    on conflict (journal) do update
    set entries = excluded.entries, heard_at = excluded.heard_at`;
}
