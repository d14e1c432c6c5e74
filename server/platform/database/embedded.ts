/**
 * PostgreSQL as a supervised child: unix socket only, no TCP, scram, dies with the server.
 */
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import {
  childEnvironment,
  findServiceUser,
  runtimeProblem,
  type ServiceUser,
  type Supervised,
  supervise,
} from '#platform/runtime';
import { connect, withDatabase } from './connection.ts';
import { clearOrphan } from './orphan.ts';
import { layOutPrograms } from './programs.ts';

const SUPERUSER = 'troth_super';
/** Owns the database and may make roles; no superuser, as on a server of the operator's own. */
const OWNER = 'troth_owner';
const DATABASE = 'troth';
/** The descriptor a child finds its data directory at; 0 to 2 are taken. */
const DATA_FD = 3;

/**
 * Chosen for one machine that also runs everything else, and so that no value of a row reaches the
 * log: an error's statement, detail and parameters all stay out of it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  password_encryption: 'scram-sha-256',
  max_connections: '60',
  shared_buffers: '64MB',
  work_mem: '4MB',
  maintenance_work_mem: '64MB',
  autovacuum_max_workers: '2',
  autovacuum_work_mem: '32MB',
  max_worker_processes: '2',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  wal_level: 'replica',
  archive_mode: 'off',
  max_wal_size: '1GB',
  wal_buffers: '8MB',
  io_method: 'sync',
  jit: 'off',
  huge_pages: 'off',
  autovacuum_naptime: '30s',
  bgwriter_delay: '1000ms',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_min_messages: 'error',
  log_statement: 'none',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_checkpoints: 'off',
  log_autovacuum_min_duration: '-1',
  timezone: 'UTC',
  lc_messages: 'C',
};

export type PostgresOptions = {
  readonly dataDir: string;
  /** Short and passable by others: the socket lies under it. @see shortDirectory */
  readonly runtimeDir: string;
  readonly log: Log;
  /** False for tests only: a power cut may then cost acknowledged rows. */
  readonly durable?: boolean;
  /** Beside and over ours; for tests, which need one that listens. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type EmbeddedPostgres = Supervised & {
  /** The owner's login: what the server works with, here as on a server of the operator's own. */
  readonly url: string;
  /** For backups and restores only: it may read every file and every row. */
  readonly superUrl: string;
  /** The directory that holds the rows, for scans and backups. */
  readonly directory: string;
};

type Layout = {
  data: string;
  sockets: string;
  programs: string;
  user: ServiceUser | undefined;
  /** What PostgreSQL is told: as root on Linux a descriptor, so that no folder above it matters. */
  path: string;
  descriptors: () => number[];
};

function own(path: string, user: ServiceUser | undefined): void {
  if (!user) return;
  if (statSync(path).uid === user.uid) return;
  chownSync(path, user.uid, user.gid);
  if (!statSync(path).isDirectory()) return;
  for (const entry of readdirSync(path)) own(join(path, entry), user);
}

function layOut({ dataDir, runtimeDir }: PostgresOptions, directory: string): Layout {
  const user = findServiceUser();
  const sockets = join(runtimeDir, 'p');
  mkdirSync(sockets, { recursive: true, mode: 0o700 });
  own(sockets, user);
  chmodSync(sockets, 0o700);
  const open = user !== undefined && process.platform === 'linux';
  return {
    data: directory,
    sockets,
    programs: layOutPrograms(user ? runtimeDir : dataDir, user),
    user,
    path: open ? `/proc/self/fd/${DATA_FD}` : directory,
    descriptors: () => (open ? [openSync(directory, 'r')] : []),
  };
}

/** Runs initdb in a directory of its own and names it last: a half-made one is never used. */
async function initialise(options: PostgresOptions, password: string): Promise<void> {
  const fresh = join(options.dataDir, 'postgres.new');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  const layout = layOut(options, fresh);
  own(fresh, layout.user);
  const secret = join(layout.sockets, 'secret');
  writeFileSync(secret, password, { mode: 0o600 });
  own(secret, layout.user);
  const descriptors = layout.descriptors();
  const sync = process.platform === 'linux' ? '--sync-method=syncfs' : '--sync-method=fsync';
  const args = [
    [
      '-D',
      layout.path,
      '-U',
      SUPERUSER,
      '-E',
      'UTF8',
      '--auth=scram-sha-256',
      `--pwfile=${secret}`,
    ],
    ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions'],
    [options.durable === false ? '--no-sync' : sync],
  ].flat();
  try {
    await run(join(layout.programs, 'initdb'), args, layout.user, descriptors);
  } finally {
    rmSync(secret, { force: true });
    for (const fd of descriptors) closeSync(fd);
  }
  renameSync(fresh, join(options.dataDir, 'postgres'));
}

function run(
  command: string,
  args: string[],
  user: ServiceUser | undefined,
  descriptors: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
      ...user,
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve();
      const line = said.split('\n').find((text) => /error/i.test(text)) ?? `exit ${code}`;
      reject(runtimeProblem('child-did-not-start', `initdb of PostgreSQL failed: ${line}`));
    });
  });
}

function readPassword(dataDir: string): string {
  const file = join(dataDir, 'postgres.secret');
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true });
  }
  return readFileSync(file, 'utf8');
}

/**
 * Makes the owner and the database, when they are missing: also after a first start that was cut
 * off. The same two statements stand in docs/operate.md for a server of the operator's own.
 */
async function createDatabase(superUrl: string, password: string): Promise<void> {
  const sql = connect(withDatabase(superUrl, 'postgres'), { max: 1 });
  try {
    const [found] = await sql<{ role: boolean; database: boolean }[]>`
      select exists (select 1 from pg_roles where rolname = ${OWNER}) as role,
             exists (select 1 from pg_database where datname = ${DATABASE}) as database`;
    if (!found?.role) {
      await sql.unsafe(`create role ${OWNER} login createrole password '${password}'`);
    }
    if (!found?.database) await sql.unsafe(`create database ${DATABASE} owner ${OWNER}`);
  } finally {
    await sql.end();
  }
}

/**
 * What taking deleted rows off the disk needs beyond owning them: the write-ahead log is cut by
 * whoever may switch its segments. The same stands in docs/operate.md for an operator's own server.
 */
const PURGE_GRANTS = [
  `grant pg_checkpoint, pg_monitor to ${OWNER}`,
  `grant execute on function pg_switch_wal(), pg_reload_conf() to ${OWNER}`,
  `grant alter system on parameter wal_recycle to ${OWNER}`,
];

async function grantPurging(superUrl: string): Promise<void> {
  const sql = connect(superUrl, { max: 1 });
  try {
    for (const grant of PURGE_GRANTS) await sql.unsafe(grant);
  } finally {
    await sql.end();
  }
}

/** The status line PostgreSQL keeps in its lock file, for this very process. */
function readStatus(directory: string, pid: number): string | undefined {
  const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n');
  return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
}

/**
 * Starts the embedded PostgreSQL, making its directory when there is none.
 *
 * The caller owns `dataDir` (see `openDataDirectory`): an orphan found in it is stopped first.
 *
 * @throws Problem child-did-not-start.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log } = options;
  const directory = join(dataDir, 'postgres');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const password = readPassword(dataDir);
  if (!existsSync(directory)) await initialise(options, password);

  const layout = layOut(options, directory);
  own(directory, layout.user);
  const settings: Record<string, string> = {
    ...SETTINGS,
    unix_socket_directories: layout.sockets,
    ...options.settings,
    ...(options.durable === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const supervised = await supervise({
    name: Word('postgres'),
    command: join(layout.programs, 'postgres'),
    args: ['-D', layout.path, ...flags],
    ...layout.user,
    descriptors: layout.descriptors,
    logFile: join(dataDir, 'logs', 'postgres.log'),
    prepare: () => clearOrphan(directory, log),
    ready: async (pid) => {
      if (readStatus(directory, pid) !== 'ready') throw new Error('not ready');
    },
    readyWithinMs: 60_000,
    // Reading the log again after a crash takes longer than any start does.
    hangsAfterMs: 30_000,
    stopSignal: 'SIGINT',
    // Never SIGKILL: the next start would find shared memory in use.
    killSignal: 'SIGQUIT',
    log,
  });
  const sockets = encodeURIComponent(layout.sockets);
  const port = settings['port'] ?? '5432';
  const urlOf = (user: string, secret: string) =>
    `postgresql://${user}:${secret}@localhost:${port}/${DATABASE}?host=${sockets}`;
  const superUrl = urlOf(SUPERUSER, password);
  const ownerPassword = createHmac('sha256', password).update('owner').digest('base64url');
  await createDatabase(superUrl, ownerPassword);
  await grantPurging(superUrl);
  const url = urlOf(OWNER, ownerPassword);
  return Object.assign(supervised, { url, superUrl, directory });
}
