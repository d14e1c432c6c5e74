/**
 * The data directory: one owner at a time, never without its keys, never from the future, closed to
 * everybody else.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { runtimeProblem } from './errors.ts';

/** Raised when an older server could no longer read what this one writes. */
export const DATA_VERSION = 1;

const INSTANCE_FILE = 'instance.json';
const LOCK_FILE = 'owner.lock';
const OWNER_FILE = 'owner.json';

type Instance = {
  id: string;
  version: number;
  /** Until the first start has made the keyring: a start that is cut off before is a first one. */
  making?: true;
};

export type DataDirectory = {
  readonly dataDir: string;
  readonly instance: string;
  /** True when this start makes it, or takes up a first start that was cut off. */
  readonly fresh: boolean;
  /** How many files and directories others could look into, until this start closed them. */
  readonly tightened: number;
  /** Says that the keyring is there: from now on data without its keys is refused. */
  settle(): void;
  release(): void;
};

function writeDurably(directory: string, name: string, content: unknown): void {
  const temporary = join(directory, `${name}.new`);
  writeFileSync(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, join(directory, name));
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function readInstance(directory: string): Instance | undefined {
  const file = join(directory, INSTANCE_FILE);
  if (!existsSync(file)) return undefined;
  const { id, version, making } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Instance>;
  return { id: String(id), version: Number(version), ...(making === true ? { making } : {}) };
}

/**
 * Compares the marks that data and keys carry, and writes them at the first start.
 *
 * @throws Problem data-directory-newer, data-without-keys. A keyring is never made anew for data
 *         that has one: all of it would be unreadable, and nobody would know.
 */
export function checkInstance({ dataDir, keyringDir }: { dataDir: string; keyringDir: string }): {
  instance: string;
  fresh: boolean;
} {
  for (const directory of [dataDir, keyringDir]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  const [data, keys] = [readInstance(dataDir), readInstance(keyringDir)];
  if (data && !(data.version <= DATA_VERSION)) {
    throw runtimeProblem(
      'data-directory-newer',
      `${dataDir} has data version ${data.version}; this server knows up to ${DATA_VERSION}. Use the newer server.`,
    );
  }
  const served = data && !data.making;
  if (served && data.id !== keys?.id) {
    const what = keys ? 'holds the keys of other data' : 'holds no keys for it';
    throw runtimeProblem(
      'data-without-keys',
      `${dataDir} holds data, but ${keyringDir} ${what}. Set TROTH_KEYRING_DIR to its keyring, or restore the keyring: npm run troth -- keys restore`,
    );
  }
  if (served) return { instance: data.id, fresh: false };
  if (data && data.id === keys?.id) return { instance: data.id, fresh: true };
  if (keys && readdirSync(keyringDir).length > 1) {
    throw runtimeProblem(
      'data-without-keys',
      `${keyringDir} holds the keys of other data, and ${dataDir} is empty. Choose another TROTH_KEYRING_DIR.`,
    );
  }
  const made: Instance = { id: data?.id ?? keys?.id ?? randomUUID(), version: DATA_VERSION };
  // Keys first: a crash between the two leaves a mark that the next start takes up.
  writeDurably(keyringDir, INSTANCE_FILE, made);
  writeDurably(dataDir, INSTANCE_FILE, { ...made, making: true });
  return { instance: made.id, fresh: true };
}

/**
 * The kernel's own lock, through SQLite: it is gone when its holder is, however that died, and no
 * process id has to be guessed at (a pid file fails in containers, where pids repeat). It would
 * also go when this process closed any other descriptor of the file, so the file is empty and no
 * search or copy of ours opens an empty one.
 */
function lock(dataDir: string): DatabaseSync {
  const held = new DatabaseSync(join(dataDir, LOCK_FILE));
  try {
    held.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
    return held;
  } catch {
    held.close();
    let owner = 'unknown';
    try {
      const seen = JSON.parse(readFileSync(join(dataDir, OWNER_FILE), 'utf8')) as { pid?: number };
      owner = String(seen.pid);
    } catch {
      // The owner has just started, or has no such file yet: the lock alone decides.
    }
    throw runtimeProblem(
      'data-directory-in-use',
      `${dataDir} is in use by the server with process id ${owner}. Stop it, or set TROTH_DATA_DIR.`,
    );
  }
}

const SHARED = 0o1000;

/**
 * Closes a directory, and what lies directly in it, to everybody but its owner: below a closed
 * directory nobody looks. One that many share by design (`/tmp`) or that is not ours is left alone.
 *
 * @returns how many entries were open.
 */
function tighten(directory: string): number {
  const { mode, uid } = statSync(directory);
  if ((mode & SHARED) !== 0 || uid !== (process.getuid?.() ?? uid)) return 0;
  const entries = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => join(directory, entry.name));
  const open = [directory, ...entries].filter((path) => (statSync(path).mode & 0o077) !== 0);
  for (const path of open) chmodSync(path, statSync(path).mode & 0o700);
  return open.length;
}

/**
 * Takes the data directory for this process.
 *
 * @throws Problem data-directory-in-use, data-directory-newer, data-without-keys.
 */
export function openDataDirectory(given: { dataDir: string; keyringDir: string }): DataDirectory {
  const { dataDir } = given;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const held = lock(dataDir);
  try {
    const { instance, fresh } = checkInstance(given);
    const tightened = tighten(dataDir) + tighten(given.keyringDir);
    writeFileSync(join(dataDir, OWNER_FILE), JSON.stringify({ pid: process.pid }), { mode: 0o600 });
    const settle = () =>
      writeDurably(dataDir, INSTANCE_FILE, { id: instance, version: DATA_VERSION });
    return { dataDir, instance, fresh, tightened, settle, release: () => held.close() };
  } catch (error) {
    held.close();
    throw error;
  }
}

/**
 * Keeps every server off a data directory that is there, for what may be done while none runs.
 *
 * @returns the instance whose data it holds.
 * @throws Problem data-directory-in-use.
 */
export function holdDataDirectory(dataDir: string): {
  readonly instance: string | undefined;
  release(): void;
} {
  if (!existsSync(dataDir)) return { instance: undefined, release: () => undefined };
  const held = lock(dataDir);
  return { instance: readInstance(dataDir)?.id, release: () => held.close() };
}
