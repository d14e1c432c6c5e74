/**
 * ClickHouse as a supervised child server on loopback, from the library in the npm package.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import {
  freePort,
  nodeEnvironment,
  runtimeProblem,
  type Supervised,
  stopOrphans,
  supervise,
} from '#platform/runtime';
import { purposeUsers } from './purpose-logins.ts';
import { configurationXml, SERVER_GRANTS, STARTER_QUERY, usersXml } from './settings.ts';

/** Node and its thread pool inside the child; the engine has threads of its own. */
const THREAD_POOL_SIZE = '8';
const CLICKHOUSE = Word('clickhouse');

export type ClickHouseOptions = {
  readonly dataDir: string;
  /** Its working directory lies in it. @see shortDirectory */
  readonly runtimeDir: string;
  readonly log: Log;
  /** False for tests only: a power cut may then cost acknowledged rows. */
  readonly durable?: boolean;
  /** Bytes of memory the engine may take. Default: 1 GB. */
  readonly memoryBytesMax?: number;
};

export type EmbeddedClickHouse = Supervised & {
  /** `http://user:password@127.0.0.1:port`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly directory: string;
};

function findLibrary(): string {
  const libc = process.platform === 'linux' ? '-gnu' : '';
  const name = `@chdb/lib-${process.platform}-${process.arch}${libc}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(entry), 'libchdb.so');
  } catch {
    throw runtimeProblem(
      'child-did-not-start',
      `the package ${name} is not installed: set TROTH_CLICKHOUSE_URL, or install on a supported platform`,
    );
  }
}

async function answers(url: string, password: string, withinMs = 2_000): Promise<void> {
  const { origin, username } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await fetch(`${origin}/?query=select+1`, {
    headers: { authorization },
    signal: AbortSignal.timeout(withinMs),
  });
  if (!answer.ok) throw new Error('not ready');
  await answer.arrayBuffer();
}

/**
 * Starts the embedded ClickHouse. It opens the HTTP listener only, on a random port of loopback,
 * for one user of a random name and a random password, both new at each start, and for the logins
 * of purposes. It is ended by a
 * signal: what it acknowledged is on the disk.
 *
 * @throws Problem child-did-not-start.
 */
export async function startClickHouse(options: ClickHouseOptions): Promise<EmbeddedClickHouse> {
  const { dataDir, runtimeDir, log, durable = true } = options;
  const library = findLibrary();
  const directory = join(dataDir, 'clickhouse');
  // A config.xml in the working directory would be loaded by itself: it stays empty.
  const [work, settings] = [join(runtimeDir, 'c'), join(dataDir, 'clickhouse-settings')];
  for (const made of [directory, work, settings]) mkdirSync(made, { recursive: true, mode: 0o700 });

  const username = `troth_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(24).toString('base64url');
  const port = await freePort();
  const files = { config: join(settings, 'config.xml'), users: join(settings, 'users.xml') };
  const users = [{ name: username, password, grants: SERVER_GRANTS }, ...purposeUsers(password)];
  writeFileSync(files.users, usersXml(users), { mode: 0o600 });
  const memoryBytesMax = options.memoryBytesMax ?? 1024 ** 3;
  const xml = configurationXml({ usersFile: files.users, users, durable, memoryBytesMax });
  writeFileSync(files.config, xml, { mode: 0o600 });

  const url = `http://${username}:${password}@127.0.0.1:${port}`;
  const ours = `--path=${directory}`;
  const supervised = await supervise({
    name: CLICKHOUSE,
    command: process.execPath,
    args: [
      [
        '--no-warnings',
        '--max-old-space-size=64',
        join(import.meta.dirname, 'process.ts'),
        library,
      ],
      ['clickhouse', ours, `--config-file=${files.config}`],
      ['--listen_host=127.0.0.1', `--http_port=${port}`],
      [`--query=${STARTER_QUERY}`],
    ].flat(),
    env: nodeEnvironment({ UV_THREADPOOL_SIZE: THREAD_POOL_SIZE, HOME: work }),
    cwd: work,
    logFile: join(dataDir, 'logs', 'clickhouse.log'),
    prepare: () => stopOrphans([ours], { child: CLICKHOUSE, log }),
    ready: () => answers(url, password),
    readyWithinMs: 60_000,
    hangsAfterMs: 10_000,
    healthy: () => answers(url, password, 5_000),
    stopWithinMs: 10_000,
    log,
  });
  return Object.assign(supervised, { url, username, password, directory });
}

export const clickHouseIsPackaged = (): boolean => {
  try {
    return existsSync(findLibrary());
  } catch {
    return false;
  }
};
