import { type Look, placesOf, WORKING_TABLES } from '#core/looking';

export type Column = {
  readonly database: string;
  readonly table: string;
  readonly name: string;
};

/** Every column in which events of the service lie, active or in the archive. */
export async function storedColumns(look: Look): Promise<Column[]> {
  const { active, archive } = placesOf(look);
  const columns = await look.query<Column>(
    `select database, table, name
     from system.columns
     where database in {databases:Array(String)}
     order by database, table, position`,
    { databases: [active, archive] },
  );
  return columns.filter(({ table }) => !WORKING_TABLES.has(table));
}
