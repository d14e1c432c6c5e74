/** One file of the keyring: opened, copied whole, and looked for where it was opened. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { keeperProblem } from './errors.ts';
import { destroyFile, privateDirectory, readJson, syncDirectory, writeSecret } from './files.ts';

export const KEYRING_FILE = 'keyring.sqlite';
export const INSTANCE_FILE = 'instance.json';

/** The mark that data and keys share; the data directory's check writes it at the first start. */
export type Instance = { id: string; version: number };

/** What identifies a keyring; `undefined` when the directory holds none. */
export function readInstance(dir: string): Instance | undefined {
  return readJson<Instance>(dir, INSTANCE_FILE);
}

/**
 * Names the file that lies in a directory, or `''` where none can be seen. By its path only: closing
 * a descriptor of a file that is open would drop the lock on it (POSIX).
 */
export function fileIn(dir: string): string {
  try {
    const { dev, ino } = statSync(join(dir, KEYRING_FILE), { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return '';
  }
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

/** The newer copy cannot be this one: the first file commits first. */
export function openCopy(
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
