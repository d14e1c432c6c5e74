import type { Database } from '#platform/database';
import { SCHEMA } from './prepare.ts';

const patternsOf = (texts: readonly string[]) => texts.map((text) => `%${text}%`);

/** How many waiting jobs have each of these texts in their input. Ids of ours, never input. */
export async function countJobsNaming<Text extends string>(
  { sql }: Pick<Database, 'sql'>,
  texts: readonly Text[],
): Promise<Map<Text, number>> {
  const rows = await sql<{ pattern: string; jobs: number }[]>`
    select pattern, count(*)::float8 as jobs
    from ${sql(SCHEMA)}._private_jobs
    join unnest(${patternsOf(texts)}::text[]) as wanted (pattern) on payload::text like pattern
    group by pattern
    limit ${Math.max(1, texts.length)}`;
  return new Map(rows.map(({ pattern, jobs }) => [pattern.slice(1, -1) as Text, jobs]));
}

/** Takes them out of the queue; one that runs at this moment ends by itself. */
export async function dropJobsNaming(
  { sql }: Pick<Database, 'sql'>,
  texts: readonly string[],
): Promise<void> {
  await sql`
    delete from ${sql(SCHEMA)}._private_jobs
    where locked_at is null and payload::text like any (${patternsOf(texts)}::text[])`;
}
