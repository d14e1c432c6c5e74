import type { Database } from '#platform/database';
import { flushPages } from '#platform/database';

/** Writes what a search of PostgreSQL's files must find, in a table and in the log. */
export async function plantControl(db: Database, marker: string, now: Date): Promise<void> {
  await db.sql.begin(async (tx) => {
    // Not an update: of one, the log holds only what differs from the row before.
    await tx`delete from scan_controls`;
    await tx`
      insert into scan_controls (store, marker, at)
      values ('postgresql', ${marker}, ${now})`;
  });
  await flushPages(db);
}
