import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A socket's path may have 107 bytes on Linux and 103 on macOS, name included. */
const PATH_BYTES_MAX = 80;
const LOCK_FILE = 'lock';
const OURS = /^troth-[0-9a-f]{10}(-\w{6})?$/;
/** A directory without a lock is one that is being made, or that a test left behind. */
const UNLOCKED_MS_MAX = 86_400_000;

const isOurs = (path: string): boolean => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return false;
  return found.uid === (process.getuid?.() ?? found.uid) && (found.mode & 0o022) === 0;
};

/** Passable by others, so that PostgreSQL's own user reaches what lies inside, which is 0700. */
function passable(path: string): string {
  chmodSync(path, 0o711);
  return path;
}

/**
 * A short directory for sockets and pipes, the same one for the same data directory.
 *
 * Others may pass through it but not list or write it (0711): what lies inside is 0700. A directory
 * that somebody else has put in our place is not used.
 */
export function shortDirectory(dataDir: string, temporary = '/tmp'): string {
  const digest = createHash('sha256').update(`${process.getuid?.() ?? 0}:${dataDir}`);
  const wanted = join(temporary, `troth-${digest.digest('hex').slice(0, 10)}`);
  if (wanted.length > PATH_BYTES_MAX) return shortDirectory(dataDir, '/tmp');
  try {
    mkdirSync(wanted);
    return passable(wanted);
  } catch {
    return isOurs(wanted) ? wanted : passable(mkdtempSync(`${wanted}-`));
  }
}

/** The kernel's lock, through SQLite: gone when its holder is. Undefined when somebody has it. */
function tryLock(directory: string): DatabaseSync | undefined {
  const held = new DatabaseSync(join(directory, LOCK_FILE));
  try {
    held.exec('pragma busy_timeout = 0; pragma journal_mode = off; begin exclusive');
    return held;
  } catch {
    held.close();
    return undefined;
  }
}

export type RuntimeDirectory = {
  readonly path: string;
  /** Removes it and all in it. What uses it has ended by then. */
  remove(): void;
};

/**
 * The short directory of a server, held for as long as it lives; those of servers that were killed
 * are removed on the way.
 */
export function openRuntimeDirectory(dataDir: string, temporary = '/tmp'): RuntimeDirectory {
  let path = shortDirectory(dataDir, temporary);
  let held = tryLock(path);
  if (!held) {
    path = passable(mkdtempSync(`${path}-`));
    held = tryLock(path);
  }
  removeStale(temporary, path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true });
      held?.close();
    },
  };
}

function removeStale(temporary: string, mine: string): void {
  for (const name of readdirSync(temporary).filter((entry) => OURS.test(entry))) {
    const path = join(temporary, name);
    if (path === mine || !isOurs(path)) continue;
    if (!existsSync(join(path, LOCK_FILE))) {
      const age = Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > UNLOCKED_MS_MAX) rmSync(path, { recursive: true, force: true });
      continue;
    }
    const held = tryLock(path);
    if (held) rmSync(path, { recursive: true, force: true });
    held?.close();
  }
}
