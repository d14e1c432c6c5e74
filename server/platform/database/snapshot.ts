/**
 * A description of a schema as text, in a fixed order: what the migrations add up to, for people to
 * read in one place and for a test to compare. Nothing is restored from it.
 */
import type postgres from 'postgres';

type Line = { line: string };

const tables = (sql: postgres.Sql, schema: string) => sql<{ name: string; forced: boolean }[]>`
  select relname as name, relrowsecurity and relforcerowsecurity as forced
  from pg_class
  where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p')
  order by relname
  limit 1000`;

const columns = (sql: postgres.Sql, table: string) => sql<Line[]>`
  select format('  %s %s%s%s', attname, format_type(atttypid, atttypmod),
                case when attnotnull then ' not null' else '' end,
                case when attidentity <> '' then ' identity'
                     when adbin is not null then ' default ' || pg_get_expr(adbin, adrelid)
                     else '' end) as line
  from pg_attribute
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
  order by attnum
  limit 1000`;

const rules = (sql: postgres.Sql, table: string) => sql<Line[]>`
  select '  ' || pg_get_constraintdef(oid) as line
  from pg_constraint
  where conrelid = ${table}::regclass and contype in ('p', 'u', 'f', 'c', 'x')
  union all
  select '  ' || regexp_replace(indexdef, ' ON [^ ]+', ' ON ' || ${table}) as line
  from pg_indexes
  where format('%I.%I', schemaname, tablename)::regclass = ${table}::regclass
    and not exists (select 1 from pg_constraint where conname = indexname)
  union all
  select format('  policy %s using %s', polname, pg_get_expr(polqual, polrelid)) as line
  from pg_policy
  where polrelid = ${table}::regclass
  union all
  select format('  trigger %s', pg_get_triggerdef(oid)) as line
  from pg_trigger
  where tgrelid = ${table}::regclass and not tgisinternal
  order by line
  limit 1000`;

const grants = (sql: postgres.Sql, table: string) => sql<Line[]>`
  select format('  grant %s to %s',
                lower(string_agg(privilege_type, ', ' order by privilege_type)),
                coalesce(nullif(grantee, 0)::regrole::text, 'public')) as line
  from pg_class, aclexplode(relacl)
  where pg_class.oid = ${table}::regclass and grantee <> relowner
  group by grantee
  order by line
  limit 1000`;

const functions = (sql: postgres.Sql, schema: string) => sql<Line[]>`
  select format('function %s(%s) returns %s%s', proname, pg_get_function_identity_arguments(oid),
                pg_get_function_result(oid),
                case when prosecdef then ' security definer' else '' end) as line
  from pg_proc
  where pronamespace = ${schema}::regnamespace
  order by line
  limit 1000`;

/** @param schema  an existing schema. Its own name is replaced by `title` in the text. */
export async function describeSchema(
  sql: postgres.Sql,
  schema: string,
  title = schema,
): Promise<string> {
  const parts: string[] = [`schema ${title}`];
  for (const { line } of await functions(sql, schema)) parts.push(line);
  for (const { name, forced } of await tables(sql, schema)) {
    const table = `${schema}.${name}`;
    const lines = [
      ...(await columns(sql, table)),
      ...(await rules(sql, table)),
      ...(await grants(sql, table)),
    ].map(({ line }) => line);
    parts.push([`table ${name}${forced ? ' (row security forced)' : ''}`, ...lines].join('\n'));
  }
  return `${parts.join('\n\n')}\n`.replaceAll(schema, title);
}
