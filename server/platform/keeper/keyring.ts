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
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { keeperProblem } from './errors.ts';
import { privateDirectory, writeSecret } from './files.ts';
import {
  fileIn,
  INSTANCE_FILE,
  KEYRING_FILE,
  openCopy,
  openFile,
  readInstance,
} from './keyring-file.ts';
import { openRemnants, type Remnants } from './remnants.ts';

const FORMAT = 1;
/** A file that vanished is noticed so soon, and a copy that is missing is tried for so often. */
const LOOK_EVERY_MS = 1_000;
const RESTORE_EVERY_MS = 5_000;

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

export type Keyring = {
  readonly instance: string;
  /** The directories that can be written: the keyring's, and the second copy's. */
  readonly dirs: readonly string[];
  readonly copyDir: string | undefined;
  /** False when a second copy is configured and cannot be written, or is not where it was. */
  readonly copied: boolean;
  /** False when the keyring's own file is not where it was opened: a restart would not find it. */
  readonly there: boolean;
  /**
   * Looks at the files now: one that was removed takes every write all the same, for as long as it
   * is open. A copy that vanished is made anew where its directory still is. Never inside `commit`,
   * which looks by itself, once a second at most.
   */
  look(): void;
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
  /** Calls back when the second copy was made anew: what lies beside the file follows it. */
  onCopied(listener: () => void): void;
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
  readonly #main: OpenFile;
  readonly #statements = new Map<string, StatementSync[]>();
  readonly #undone: (() => void)[] = [];
  readonly #followers: (() => void)[] = [];
  #copy: OpenFile | undefined;
  #there = true;
  #doomed: Uint8Array[] | 'all' = [];
  #writing = false;
  #begun = false;
  #lookAfter = performance.now() + LOOK_EVERY_MS;
  #restoreAfter = performance.now() + RESTORE_EVERY_MS;

  constructor(
    place: KeyringPlace,
    instance: string,
    main: DatabaseSync,
    copy: DatabaseSync | undefined,
  ) {
    this.instance = instance;
    this.copyDir = place.copyDir;
    this.#dir = place.dir;
    this.#main = watched(main, place.dir);
    this.#copy = copy && place.copyDir ? watched(copy, place.copyDir) : undefined;
  }

  get dirs(): readonly string[] {
    return this.copyDir && this.#copy ? [this.#dir, this.copyDir] : [this.#dir];
  }

  get copied(): boolean {
    return !this.copyDir || this.#copy !== undefined;
  }

  get there(): boolean {
    return this.#there;
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
    if (performance.now() > this.#lookAfter) this.look();
    this.#writing = true;
    let done: T;
    try {
      done = work();
      if (!this.#begun) return done;
      this.run("update meta set value = value + 1 where name = 'generation'");
      this.#main.db.exec('commit');
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

  onCopied(listener: () => void): void {
    this.#followers.push(listener);
  }

  look(): void {
    this.#there = this.#main.isThere();
    if (this.#copy && !this.#copy.isThere()) this.#dropCopy();
    if (!this.copied && performance.now() > this.#restoreAfter) this.#restoreCopy();
    this.#lookAfter = performance.now() + LOOK_EVERY_MS;
  }

  close(): void {
    this.#main.close();
    this.#copy?.close();
  }

  /** What could not be removed now is tried again with the next commit. */
  #removeRemnants(): void {
    const secrets = this.#doomed;
    if (secrets.length === 0) return;
    this.#main.remnants.remove(secrets);
    this.#copy?.remnants.remove(secrets);
    this.#doomed = [];
  }

  #files(): DatabaseSync[] {
    return this.#copy ? [this.#main.db, this.#copy.db] : [this.#main.db];
  }

  #prepared(sql: string): StatementSync[] {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#files().map((file) => file.prepare(sql));
    this.#statements.set(sql, made);
    return made;
  }

  /**
   * When it fails the first copy is ahead. It is copied over whole when the directory takes it, and
   * until then the durability gap is reported, no key is made, and nothing is destroyed.
   */
  #commitCopy(): void {
    try {
      this.#copy?.db.exec('commit');
    } catch {
      this.#dropCopy();
    }
  }

  #dropCopy(): void {
    this.#statements.clear();
    this.#copy?.close();
    this.#copy = undefined;
  }

  /**
   * Only where the mark of this keyring still lies: a directory without it may be the place where
   * a disk was mounted, and keys that lie there are on no second disk.
   */
  #restoreCopy(): void {
    const { copyDir, instance } = this;
    try {
      if (!copyDir || readInstance(copyDir)?.id !== instance) return;
      const copy = openCopy(this.#main.db, { copyDir, instance });
      if (!copy) return;
      this.#statements.clear();
      this.#copy = watched(copy, copyDir);
      for (const follow of this.#followers) follow();
    } catch {
      this.#dropCopy(); // As where somebody else's file lies there now: it is out of reach.
    } finally {
      this.#restoreAfter = performance.now() + RESTORE_EVERY_MS;
    }
  }
}

type OpenFile = {
  readonly db: DatabaseSync;
  readonly remnants: Remnants;
  /** Whether the file that is open is the one that lies at its path. */
  isThere(): boolean;
  close(): void;
};

function watched(db: DatabaseSync, dir: string): OpenFile {
  const remnants = openRemnants(db, join(dir, KEYRING_FILE));
  const opened = fileIn(dir);
  return {
    db,
    remnants,
    isThere: () => fileIn(dir) === opened,
    close() {
      db.close();
      remnants.close();
    },
  };
}

/** Why a key is not made without the second copy. */
export const NEW_KEY = 'a key that is made now would be on one disk only';

/**
 * A key lives in both copies or is not made, and one that lives on in a copy is not destroyed.
 *
 * @throws Problem keyring-copy-missing; keyring-refused when the keyring's own file is gone.
 */
export function needBothCopies(keyring: Keyring, otherwise: string): void {
  if (!keyring.there) {
    throw keeperProblem('keyring-refused', 'the file of the keyring is gone: restore it');
  }
  if (!keyring.copied) throw keeperProblem('keyring-copy-missing', otherwise);
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
