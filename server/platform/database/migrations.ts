/**
 * Numbered, forward-only migrations, one transaction each, whose first statement claims the number:
 * any number of servers may start at once, and each migration runs once.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { databaseProblem } from './errors.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'migrations');
const NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;
/** Any fixed number; only the making of the ledger itself is done under it. */
const LEDGER_LOCK = 7_076_001;

export type MigrationSection = 'control' | 'tenant' | 'events';

export type Migration = {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
  /** An older server cannot work on a schema that has it. */
  readonly breaking: boolean;
};

type Scope = { readonly section: MigrationSection; readonly schema: string; readonly log: Log };
type Applied = { number: number; checksum: string; breaking: boolean };

/** The migrations of a section, in order. @throws Error for a wrong name or a number used twice. */
export async function readMigrations(
  section: MigrationSection,
  directory = DIRECTORY,
): Promise<Migration[]> {
  const folder = join(directory, section);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.sql'));
  const migrations = names.sort().map(async (file) => {
    const [, number, name] = NAME.exec(file) ?? [];
    if (!number || !name) throw new Error(`${file} is not named like a migration`);
    const text = await readFile(join(folder, file), 'utf8');
    const checksum = createHash('sha256').update(text).digest('hex');
    return { number: Number(number), name, text, checksum, breaking: /^-- breaking$/m.test(text) };
  });
  const read = await Promise.all(migrations);
  // The number is what is recorded: of two with one number only the first would ever run.
  const twice = read.find(({ number }, at) => read[at + 1]?.number === number);
  if (twice) throw new Error(`two migrations of ${section} have the number ${twice.number}`);
  return read;
}

async function makeLedger(admin: postgres.Sql): Promise<void> {
  const [found] = await admin`select 1 where to_regclass('troth.migrations') is not null`;
  if (found) return;
  await admin.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LEDGER_LOCK})`;
    await tx.unsafe(`
      create schema if not exists troth;
      create table if not exists troth.migrations (
        section    text        not null,
        scope      text        not null,
        number     integer     not null,
        name       text        not null,
        checksum   text        not null,
        breaking   boolean     not null,
        applied_at timestamptz not null default now(),
        primary key (section, scope, number)
      )`);
  });
}

/** Refuses a database that a newer server changed in a way this one cannot know. */
function judge(applied: readonly Applied[], known: readonly Migration[], section: string): void {
  const byNumber = new Map(known.map((migration) => [migration.number, migration]));
  const newest = Math.max(0, ...byNumber.keys());
  for (const { number, checksum, breaking } of applied) {
    const migration = byNumber.get(number);
    if (!migration && breaking && number > newest) {
      throw databaseProblem(
        'database-newer',
        `${section} migration ${number} is unknown here and breaking. Start the newer server.`,
      );
    }
    if (migration && migration.checksum !== checksum) {
      throw databaseProblem(
        'migration-changed',
        `${section} migration ${number} differs from the one that was applied. Add a new one instead.`,
      );
    }
  }
}

const readApplied = (admin: postgres.Sql, { section, schema }: Scope) =>
  admin<Applied[]>`
    select number, checksum, breaking
    from troth.migrations
    where section = ${section} and scope = ${schema}
    order by number`;

const claim = (tx: postgres.TransactionSql, { section, schema }: Scope, m: Migration) =>
  tx`
    insert into troth.migrations (section, scope, number, name, checksum, breaking)
    values (${section}, ${schema}, ${m.number}, ${m.name}, ${m.checksum}, ${m.breaking})
    on conflict do nothing
    returning number`;

async function applyOne(admin: postgres.Sql, scope: Scope, migration: Migration): Promise<boolean> {
  return admin.begin(async (tx) => {
    const claimed = await claim(tx, scope, migration);
    if (claimed.length === 0) return false;
    await tx`
      select set_config('lock_timeout', '10s', true),
             set_config('search_path', ${scope.schema === 'troth' ? 'troth' : `${scope.schema}, troth`}, true)`;
    await tx.unsafe(migration.text);
    return true;
  });
}

/**
 * Brings one schema up to date. Safe to run from any number of servers at once.
 *
 * @returns how many migrations this call applied.
 * @throws Problem database-newer, migration-changed.
 */
export async function migrateSchema(
  admin: postgres.Sql,
  scope: Scope,
  migrations: readonly Migration[],
): Promise<number> {
  await makeLedger(admin);
  const applied = await readApplied(admin, scope);
  judge(applied, migrations, scope.section);
  const done = new Set(applied.map(({ number }) => number));
  let count = 0;
  for (const migration of migrations.filter(({ number }) => !done.has(number))) {
    const began = performance.now();
    if (!(await applyOne(admin, scope, migration))) continue;
    count++;
    scope.log('migration.applied', {
      section: Word(scope.section),
      number: migration.number,
      durationMs: Math.round(performance.now() - began),
    });
  }
  return count;
}

/**
 * Brings ClickHouse up to date. Its statements have no transaction, so each is written to be run
 * again (`if not exists`), and the number is recorded only when all of them were done.
 */
export async function migrateEvents(
  admin: postgres.Sql,
  command: (statement: string) => Promise<void>,
  { log, migrations }: { log: Log; migrations: readonly Migration[] },
): Promise<number> {
  const scope = { section: 'events', schema: 'troth', log } as const;
  await makeLedger(admin);
  const applied = await readApplied(admin, scope);
  judge(applied, migrations, 'events');
  const done = new Set(applied.map(({ number }) => number));
  let count = 0;
  for (const migration of migrations.filter(({ number }) => !done.has(number))) {
    await admin.begin(async (tx) => {
      if ((await claim(tx, scope, migration)).length === 0) return;
      for (const statement of statementsOf(migration.text)) await command(statement);
      count++;
    });
  }
  return count;
}

/** ClickHouse takes one statement at a time; a statement ends with a semicolon at a line's end. */
export const statementsOf = (text: string): string[] =>
  text
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter(Boolean);
