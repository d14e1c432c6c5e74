/**
 * The keyring's file and its second copy: SQLite, one transaction for a group of calls, both files
 * durable before anyone is answered.
 *
 * `secure_delete` zeroes freed cells, `journal_mode=TRUNCATE` leaves no log behind (WAL kept
 * deleted keys until a checkpoint), and what a rebuilt page kept of one is looked for after the
 * commit: so a destroyed wrapped key is in no file when its caller is answered. `synchronous=EXTRA`
 * also syncs the directory. The exclusive lock makes a second keeper on one keyring fail.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { keeperProblem } from './errors.ts';
import { destroyFile, privateDirectory, readJson, syncDirectory, writeSecret } from './files.ts';
import { openRemnants, type Remnants } from './remnants.ts';

export const KEYRING_FILE = 'keyring.sqlite';
export const INSTANCE_FILE = 'instance.json';
const FORMAT = 1;

const SCHEMA = `
  create table if not exists meta (name text primary key, value any) strict, without rowid;
  create table if not exists keks (
    tenant text, purpose text, epoch integer, wrapped blob not null,
    primary key (tenant, purpose, epoch)) strict, without rowid;
  create table if not exists handles (
    tenant text, handle blob, subject blob not null,
    primary key (tenant, handle)) strict, without rowid;
  create table if not exists subject_keys (
    tenant text, subject blob, n integer, handle blob not null, key_id blob not null,
    epoch integer not null, wrapped blob not null, destroy_at integer, created_at integer not null,
    primary key (tenant, subject, n)) strict, without rowid;
  create table if not exists links (
    tenant text, towards blob, source blob, linked_at integer not null,
    primary key (tenant, towards, source)) strict, without rowid;
  create index if not exists links_of_source on links (tenant, source);
  create table if not exists named_keys (
    tenant text, name text, version integer, class text not null, key_id blob not null,
    epoch integer not null, wrapped blob not null, seals integer not null, destroy_at integer,
    created_at integer not null,
    primary key (tenant, name, version)) strict, without rowid;
  create table if not exists tombstones (
    tenant text, handle blob, until integer not null,
    primary key (tenant, handle)) strict, without rowid;
  create table if not exists destroyed_names (
    tenant text, name text, destroyed_at integer not null,
    primary key (tenant, name)) strict, without rowid;
`;

/** The mark that data and keys share; the data directory's check writes it at the first start. */
export type Instance = { id: string; version: number };

/** What identifies a keyring; `undefined` when the directory holds none. */
export function readInstance(dir: string): Instance | undefined {
  return readJson<Instance>(dir, INSTANCE_FILE);
}

/** @throws Problem keyring-refused when another keeper has it open. */
export function openFile(dir: string): DatabaseSync {
  const file = join(dir, KEYRING_FILE);
  const db = new DatabaseSync(file);
  try {
    db.exec(`pragma locking_mode=exclusive; pragma secure_delete=on; pragma journal_mode=truncate;
      pragma synchronous=extra; pragma temp_store=memory; pragma cache_size=-16384;
      begin immediate; commit`);
  } catch (error) {
    db.close();
    if (String(error).includes('locked')) {
      throw keeperProblem('keyring-refused', 'another keeper has this keyring open');
    }
    throw error;
  }
  chmodSync(file, 0o600);
  return db;
}

const generationOf = (db: DatabaseSync): number =>
  Number(db.prepare("select value from meta where name = 'generation'").get()?.['value'] ?? 0);

export type Keyring = {
  readonly instance: string;
  /** The directories that can be written: the keyring's, and the second copy's. */
  readonly dirs: readonly string[];
  readonly copyDir: string | undefined;
  /** False when a second copy is configured and cannot be written. */
  readonly copied: boolean;
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Writes to each copy; only inside `commit`. Returns the rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /**
   * Names what no copy may hold once `commit` returns; `all`: nothing of anything that was deleted.
   * Only inside `commit`.
   */
  destroyed(secrets: readonly Uint8Array[] | 'all'): void;
  /** Runs `work` in one transaction over all copies: durable in each when it returns. */
  commit<T>(work: () => T): T;
  /** Calls back when a commit was undone: whoever remembers what it wrote must forget it. */
  onRollback(listener: () => void): void;
  close(): void;
};

export type KeyringPlace = {
  readonly dir: string;
  readonly copyDir?: string | undefined;
  /** Only a first start makes a keyring: made anew for old data, it would hide that all is lost. */
  readonly create: boolean;
};

/**
 * Opens the keyring, or makes one when it may; brings the second copy up to date.
 *
 * @throws Problem keyring-refused: newer format, another keeper, or data without its keyring.
 */
export function openKeyring(place: KeyringPlace): Keyring {
  const { dir, copyDir } = place;
  privateDirectory(dir);
  const instance = instanceIn(place);
  const main = openFile(dir);
  main.exec(SCHEMA);
  main.exec(`insert or ignore into meta values ('generation', 1), ('format', ${FORMAT})`);
  const format = main.prepare("select value from meta where name = 'format'").get()?.['value'];
  if (Number(format) > FORMAT) {
    throw keeperProblem('keyring-refused', 'the keyring was written by a newer version');
  }
  rememberWhoLinked(main);
  const copy = copyDir ? openCopy(main, { copyDir, instance }) : undefined;
  return new OpenKeyring(place, instance, main, copy);
}

class OpenKeyring implements Keyring {
  readonly instance: string;
  readonly copyDir: string | undefined;
  readonly #dir: string;
  readonly #main: DatabaseSync;
  readonly #statements = new Map<string, StatementSync[]>();
  readonly #undone: (() => void)[] = [];
  readonly #remnants: Remnants[];
  #copy: DatabaseSync | undefined;
  #doomed: Uint8Array[] | 'all' = [];
  #writing = false;
  #begun = false;

  constructor(
    place: KeyringPlace,
    instance: string,
    main: DatabaseSync,
    copy: DatabaseSync | undefined,
  ) {
    this.instance = instance;
    this.copyDir = place.copyDir;
    this.#dir = place.dir;
    this.#main = main;
    this.#copy = copy;
    const fileIn = (dir: string) => join(dir, KEYRING_FILE);
    this.#remnants = [openRemnants(main, fileIn(place.dir))];
    if (copy && place.copyDir) this.#remnants.push(openRemnants(copy, fileIn(place.copyDir)));
  }

  get dirs(): readonly string[] {
    return this.copyDir && this.#copy ? [this.#dir, this.copyDir] : [this.#dir];
  }

  get copied(): boolean {
    return !this.copyDir || this.#copy !== undefined;
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql)[0]?.get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return (this.#prepared(sql)[0]?.all(...values) ?? []) as Row[];
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    if (!this.#writing) throw new Error('a keyring is written inside commit only');
    let changed = 0;
    // A group of look-ups writes nothing, and then waits for no disk.
    if (!this.#begun) for (const file of this.#files()) file.exec('begin immediate');
    this.#begun = true;
    for (const statement of this.#prepared(sql)) changed = Number(statement.run(...values).changes);
    return changed;
  }

  destroyed(secrets: readonly Uint8Array[] | 'all'): void {
    this.#doomed =
      secrets === 'all' || this.#doomed === 'all' ? 'all' : [...this.#doomed, ...secrets];
  }

  commit<T>(work: () => T): T {
    this.#writing = true;
    let done: T;
    try {
      done = work();
      if (!this.#begun) return done;
      this.run("update meta set value = value + 1 where name = 'generation'");
      this.#main.exec('commit');
    } catch (error) {
      for (const file of this.#files()) if (file.isTransaction) file.exec('rollback');
      for (const forget of this.#undone) forget();
      throw error;
    } finally {
      this.#writing = false;
      this.#begun = false;
    }
    this.#commitCopy();
    this.#removeRemnants();
    return done;
  }

  onRollback(listener: () => void): void {
    this.#undone.push(listener);
  }

  close(): void {
    for (const file of this.#files()) file.close();
    for (const remnants of this.#remnants) remnants.close();
  }

  /** What could not be removed now is tried again with the next commit. */
  #removeRemnants(): void {
    const secrets = this.#doomed;
    if (secrets.length === 0) return;
    const files = this.#remnants.slice(0, this.#files().length);
    for (const remnants of files) remnants.remove(secrets);
    this.#doomed = [];
  }

  #files(): DatabaseSync[] {
    return this.#copy ? [this.#main, this.#copy] : [this.#main];
  }

  #prepared(sql: string): StatementSync[] {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#files().map((file) => file.prepare(sql));
    this.#statements.set(sql, made);
    return made;
  }

  /**
   * When it fails the first copy is ahead. It is copied over whole at the next start, and until
   * then the durability gap is reported and nothing is destroyed.
   */
  #commitCopy(): void {
    try {
      this.#copy?.exec('commit');
    } catch {
      this.#statements.clear();
      this.#copy?.close();
      this.#copy = undefined;
    }
  }
}

/**
 * A keyring from before links said who stands behind them gets the column, and none vouched. The
 * second copy is then older, and is made anew.
 */
function rememberWhoLinked(main: DatabaseSync): void {
  const has = main.prepare(`select 1 from pragma_table_info('links') where name = 'vouched'`);
  if (has.get()) return;
  main.exec(`begin immediate;
    alter table links add column vouched integer not null default 0;
    update meta set value = value + 1 where name = 'generation'; commit`);
}

function instanceIn({ dir, copyDir, create }: KeyringPlace): string {
  const found = readInstance(dir);
  const hasFile = existsSync(join(dir, KEYRING_FILE));
  if (!hasFile && copyDir && existsSync(join(copyDir, KEYRING_FILE))) {
    throw keeperProblem('keyring-refused', 'the keyring is gone, its second copy is not: restore');
  }
  if (!hasFile && !create) {
    throw keeperProblem('keyring-refused', 'there is no keyring here, and this is no first start');
  }
  if (hasFile && !found) {
    throw keeperProblem('keyring-refused', 'the keyring has lost its instance file: restore');
  }
  if (found) return found.id;
  const id = randomUUID();
  writeSecret(dir, INSTANCE_FILE, `${JSON.stringify({ id, version: 1 })}\n`);
  return id;
}

/** The newer copy cannot be this one: the first file commits first. */
function openCopy(
  main: DatabaseSync,
  { copyDir, instance }: { copyDir: string; instance: string },
): DatabaseSync | undefined {
  const other = readInstance(copyDir);
  if (other && other.id !== instance) {
    throw keeperProblem('keyring-refused', 'the second copy belongs to another keyring');
  }
  try {
    privateDirectory(copyDir);
    if (other && existsSync(join(copyDir, KEYRING_FILE))) {
      const copy = openFile(copyDir);
      const [ours, theirs] = [generationOf(main), generationOf(copy)];
      if (ours === theirs) return copy;
      copy.close();
      if (theirs > ours) {
        throw keeperProblem('keyring-refused', 'the second copy is newer than the first: restore');
      }
      destroyFile(copyDir, KEYRING_FILE);
    }
    copyKeyringFile(main, copyDir);
    writeSecret(copyDir, INSTANCE_FILE, `${JSON.stringify({ id: instance, version: 1 })}\n`);
    return openFile(copyDir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'keyring-refused') throw error;
    return undefined;
  }
}

/**
 * Writes a compact copy and syncs it. Not `copyFile`: closing a second descriptor of the file would
 * drop this process's lock on it (POSIX), and a second keeper could open the keyring.
 */
export function copyKeyringFile(from: DatabaseSync, to: string): void {
  const target = join(to, KEYRING_FILE);
  from.prepare('vacuum into ?').run(target);
  chmodSync(target, 0o600);
  const handle = openSync(target, 'r+');
  fsyncSync(handle);
  closeSync(handle);
  syncDirectory(to);
}
