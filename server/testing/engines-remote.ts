/**
 * Engines as an operator would bring them: a PostgreSQL on TCP, prepared by the very statements
 * that the operator's guide gives, and a ClickHouse with settings of its own. Each has a directory,
 * a port and a password; nothing of the embedded configuration reaches them but the programs.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Word } from '#base/ids';
import { connect, startPostgres, withDatabase } from '#platform/database';
import { silentLog } from '#platform/log';
import {
  childEnvironment,
  findServiceUser,
  freePort,
  shortDirectory,
  supervise,
} from '#platform/runtime';
import { localCertificate } from '#platform/tls';

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'operate.md');
const ENGINE = join(import.meta.dirname, '..', 'platform', 'events', 'process.ts');

export type RemoteEngine = {
  /** What TROTH_POSTGRES_URL or TROTH_CLICKHOUSE_URL would say. */
  readonly url: string;
  stop(): Promise<void>;
};

export type RemotePostgres = RemoteEngine & {
  readonly superUrl: string;
  /** PEM of the authority that the server's certificate is from; with `tls` only. */
  readonly authorityFile: string;
};

/** The blocks of statements in the guide that prepare a PostgreSQL, with a password put in. */
function guideStatements(password: string): string[][] {
  const blocks = readFileSync(GUIDE, 'utf8').matchAll(/```sql\n([\s\S]*?)```/g);
  return [...blocks].map(([, text = '']) =>
    text
      .replace('choose-a-password', password)
      .split(/;\s*\n/)
      .map((statement) => statement.trim())
      .filter(Boolean),
  );
}

/** What the package made for the server is taken away, and made again as the guide says. */
async function prepareByGuide(superUrl: string, password: string): Promise<void> {
  const [first = [], inDatabase = []] = guideStatements(password);
  const before = ['drop database troth', 'drop owned by troth_owner', 'drop role troth_owner'];
  for (const [database, statements] of [
    ['postgres', [...before, ...first]],
    ['troth', inDatabase],
  ] as const) {
    const sql = connect(withDatabase(superUrl, database), { max: 1 });
    try {
      for (const statement of statements) await sql.unsafe(statement);
    } finally {
      await sql.end();
    }
  }
}

/** A certificate for localhost that PostgreSQL's own user may read. */
async function certificateIn(runtimeDir: string): Promise<Record<string, string>> {
  const folder = join(runtimeDir, 'tls');
  const certificate = await localCertificate(folder, new Date());
  writeFileSync(join(folder, 'chain.pem'), certificate.chain);
  const user = findServiceUser();
  const files = ['chain.pem', 'server.key'].map((name) => join(folder, name));
  for (const path of user ? [folder, ...files] : [])
    chownSync(path, user?.uid ?? 0, user?.gid ?? 0);
  return { ssl: 'on', ssl_cert_file: files[0] ?? '', ssl_key_file: files[1] ?? '' };
}

export async function startRemotePostgres({ tls = false } = {}): Promise<RemotePostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-remote-'));
  const places = { dataDir: join(folder, 'postgres'), runtimeDir: shortDirectory(folder) };
  const port = String(await freePort());
  const running = await startPostgres({
    ...places,
    log: silentLog,
    durable: false,
    settings: {
      listen_addresses: '127.0.0.1',
      port,
      ...(tls ? await certificateIn(places.runtimeDir) : {}),
    },
  });
  const password = randomBytes(12).toString('hex');
  try {
    await prepareByGuide(running.superUrl, password);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return {
    url: `postgresql://troth_owner:${password}@127.0.0.1:${port}/troth`,
    superUrl: running.superUrl,
    authorityFile: join(places.runtimeDir, 'tls', 'authority.pem'),
    async stop() {
      await running.stop();
      for (const made of [folder, places.runtimeDir]) {
        rmSync(made, { recursive: true, force: true });
      }
    },
  };
}

/** The grants of the guide, one a line. */
const guideGrants = () =>
  [...readFileSync(GUIDE, 'utf8').matchAll(/<query>(.*?)<\/query>/g)].map(([line]) => line);

const serverXml = (users: string) => `<clickhouse>
  <logger><level>none</level></logger>
  <user_directories><users_xml><path>${users}</path></users_xml></user_directories>
</clickhouse>
`;

/** `default` is what the engine's own session insists on; it does nothing but open the listener. */
const userXml = (password: string) => `<clickhouse>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users>
    <default><no_password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
      <quota>default</quota><grants><query>GRANT SYSTEM LISTEN ON *.*</query>
      <query>GRANT CREATE TEMPORARY TABLE ON *.*</query></grants></default>
    <troth><password>${password}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
      <grants>${guideGrants().join('\n')}</grants></troth>
  </users>
</clickhouse>
`;

const LISTEN = [
  'system start listen http',
  'select sleep(3) from numbers(1000000000000) settings max_block_size = 1, max_execution_time = 0 format Null',
].join('; ');

export async function startRemoteClickHouse(): Promise<RemoteEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-remote-'));
  chmodSync(folder, 0o700);
  const [work, data] = [join(folder, 'work'), join(folder, 'data')];
  for (const made of [work, data]) mkdirSync(made);
  const password = randomBytes(12).toString('hex');
  const users = join(folder, 'users.xml');
  writeFileSync(users, userXml(password));
  writeFileSync(join(folder, 'config.xml'), serverXml(users));
  const port = await freePort();
  const libc = process.platform === 'linux' ? '-gnu' : '';
  const packaged = `@chdb/lib-${process.platform}-${process.arch}${libc}/package.json`;
  const library = join(dirname(createRequire(import.meta.url).resolve(packaged)), 'libchdb.so');
  const running = await supervise({
    name: Word('clickhouse'),
    command: process.execPath,
    args: [
      ...['--no-warnings', ENGINE, library, 'clickhouse', `--path=${data}`],
      ...[`--config-file=${join(folder, 'config.xml')}`, '--listen_host=127.0.0.1'],
      ...[`--http_port=${port}`, `--query=${LISTEN}`],
    ],
    env: childEnvironment({ HOME: work }),
    cwd: work,
    log: silentLog,
    ready: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/ping`);
      if (!answer.ok) throw new Error('not ready');
    },
    readyWithinMs: 60_000,
  });
  return {
    url: `http://troth:${password}@127.0.0.1:${port}`,
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
