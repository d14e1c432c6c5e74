/** What of somebody stands in the stores: counted by the engines' own catalogues, and as bytes. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inEngine, type Look, placesOf, typesByPerson, WORKING_TABLES } from '#core/looking';

/** Rows by place, `database.table`; places without any are left out. */
export type Rows = ReadonlyMap<string, number>;

/** The rows of these people in every table of the service that can hold them, of any database. */
export async function eventRows(look: Look, subjects: readonly string[]): Promise<Rows> {
  // As the engine has them: a list of ours might leave out what an erasure leaves out.
  const places = await look.query<{ database: string; table: string; column: string }>(
    `select database, table, name as column
     from system.columns
     where endsWith(database, {service:String}) and type = 'FixedString(16)'
       and table not in {working:Array(String)}`,
    { service: `_${inEngine(look.tenant)}`, working: [...WORKING_TABLES] },
  );
  const rows = new Map<string, number>();
  for (const { database, table, column } of places) {
    const [found] = await look.query<{ rows: string }>(
      `select count() as rows from {database:Identifier}.{table:Identifier}
       where lower(hex({column:Identifier})) in {subjects:Array(String)}`,
      { database, table, column, subjects },
    );
    const place = `${database}.${table}`;
    const count = Number(found?.rows);
    if (count > 0) rows.set(place, (rows.get(place) ?? 0) + count);
  }
  return rows;
}

/** The same in the tables of the service in PostgreSQL; each place is the table's name. */
export async function tableRows(look: Look, subjects: readonly string[]): Promise<Rows> {
  const { schema } = placesOf(look);
  return look.asServer(look.tenant, async (tx) => {
    const tables = await tx<{ name: string }[]>`
      select relname as name
      from pg_class
      join pg_attribute on attrelid = pg_class.oid
      where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p')
        and attname = 'subject' and not attisdropped`;
    const rows = new Map<string, number>();
    for (const { name } of tables) {
      const [found] = await tx<{ rows: number }[]>`
        select count(*)::int as rows
        from ${tx(schema)}.${tx(name)}
        where subject = any (${[...subjects]}::uuid[])`;
      if (found && found.rows > 0) rows.set(name, found.rows);
    }
    return rows;
  });
}

/** A row that stands in the archive. */
export type Archived = { readonly data: string; readonly message: string; readonly at: Date };

const DAY_MS = 86_400_000;

/** Leaves a row of somebody in each archive, as a sweep would have brought it there. */
export async function leaveArchived(look: Look, subject: string): Promise<Archived[]> {
  const at = new Date((await look.now()).getTime() - DAY_MS);
  const archived = typesByPerson(look).filter(
    (data) => look.policy.compiled.data[data]?.tiers?.archive,
  );
  return Promise.all(
    archived.map(async (data) => {
      const [message = ''] = await look.canaries.backdated(data, [at], 'archive', '', subject);
      return { data, message, at };
    }),
  );
}

/** The ids of their decisions: 16 random bytes that stand in their rows and nowhere else. */
export async function receiptIds(look: Look, subjects: readonly string[]): Promise<Buffer[]> {
  const { schema } = placesOf(look);
  const rows = await look.asServer(
    look.tenant,
    (tx) => tx<{ id: string }[]>`
      select encode(uuid_send(id), 'hex') as id
      from ${tx(schema)}.consent_receipts
      where subject = any (${[...subjects]}::uuid[])
      limit 20`,
  );
  return rows.map(({ id }) => Buffer.from(id, 'hex'));
}

export const sum = (rows: Rows): number => [...rows.values()].reduce((all, one) => all + one, 0);

/** The pieces of a file overlap by more than the longest pattern has. */
const OVERLAP_BYTES = 64;

async function fileHolds(file: string, patterns: readonly Buffer[]): Promise<boolean[]> {
  const found = patterns.map(() => false);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      const piece = Buffer.concat([rest, chunk as Buffer]);
      for (const [at, pattern] of patterns.entries()) {
        if (!found[at] && piece.includes(pattern)) found[at] = true;
      }
      rest = piece.subarray(-OVERLAP_BYTES);
    }
  } catch (error) {
    // A journal that was just done with.
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
  }
  return found;
}

/** Which of these bytes lie in any file of the keyring, or of its second copy. */
export async function keyringHolds(look: Look, patterns: readonly Buffer[]): Promise<boolean[]> {
  const { keyring, keyringCopy } = look.folders;
  const all = patterns.map(() => false);
  for (const folder of [keyring, keyringCopy ?? []].flat()) {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const found = await fileHolds(join(entry.parentPath, entry.name), patterns);
      for (const [at, is] of found.entries()) if (is) all[at] = true;
    }
  }
  return all;
}
