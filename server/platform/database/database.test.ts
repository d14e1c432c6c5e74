import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Pool } from 'pg';
import { silentLog } from '#platform/log';
import { testEngines } from '#testing/engines';
import { type RemotePostgres, startRemotePostgres } from '#testing/engines-remote';
import { useWorld } from '#testing/world';
import { databaseContract } from './contract.ts';
import {
  claimDatabase,
  connect,
  type Database,
  migrateEvents,
  migrateSchema,
  openDatabase,
  poolTargetOf,
  purgeDeleted,
  readMigrations,
  targetOf,
  withDatabase,
} from './index.ts';

const world = useWorld({ policies: [] });
databaseContract('the PostgreSQL of the tests', async () => world.db);

let server: RemotePostgres;
let remote: Database;
before(async () => {
  server = await startRemotePostgres({ tls: true });
  remote = await openDatabase({ url: server.url, log: silentLog });
});
after(async () => {
  await remote?.close();
  await server?.stop();
});
databaseContract('a PostgreSQL of the operator, over TCP', async () => remote);

test('the login that the guide makes is no superuser, and neither is the embedded one', async () => {
  for (const { admin } of [remote, world.db]) {
    const [seen] = await admin`
      select rolsuper or rolbypassrls or rolreplication as more
      from pg_roles where rolname = current_user`;
    assert.equal(seen?.['more'], false);
    await assert.rejects(admin`select pg_read_file('/etc/passwd')`, { code: '42501' });
    await assert.rejects(admin.unsafe("copy (select 1) to program 'true'"), { code: '42501' });
  }
});

test('with the grants of the guide deleted bytes are cut from the log of the operator’s server too', async () => {
  assert.deepEqual(await purgeDeleted(remote, []), { tables: 'rewritten', log: 'cut' });
});

const withMode = (mode: string, authority = '') => {
  const url = new URL(server.url);
  url.searchParams.set('sslmode', mode);
  if (authority) url.searchParams.set('sslrootcert', authority);
  return url.href;
};
const encryptionOf = async (url: string) => {
  const sql = connect(url, { max: 1 });
  const pool = new Pool({ ...poolTargetOf(url), max: 1 });
  const asked = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
  try {
    const [seen] = await sql.unsafe<{ ssl: boolean }[]>(asked);
    const { rows } = await pool.query<{ ssl: boolean }>(asked);
    assert.equal(rows[0]?.ssl, seen?.ssl, 'the queue connects as everybody else does');
    return seen?.ssl;
  } finally {
    await Promise.all([sql.end(), pool.end()]);
  }
};

test('sslmode is what libpq says it is, for every part of the server', async () => {
  assert.equal(await encryptionOf(server.url), false);
  assert.equal(await encryptionOf(withMode('disable')), false);
  assert.equal(await encryptionOf(withMode('require')), true);
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    assert.equal(await encryptionOf(withMode(mode, server.authorityFile)), true, mode);
  }
});

test('a host that is far away must prove its name unless the URL says otherwise', () => {
  const far = (query: string) => targetOf(`postgresql://a:b@db.example.org/c${query}`).ssl;
  assert.deepEqual(far(''), { host: 'db.example.org' });
  assert.equal(far('?sslmode=disable'), undefined);
  assert.deepEqual(far('?sslmode=require'), { rejectUnauthorized: false });
});

test('a PostgreSQL that cannot be used is refused with a sentence that names no password', async () => {
  const elsewhere = (change: Partial<URL>) => Object.assign(new URL(server.url), change).href;
  const { port } = new URL(server.url);
  const other = await startRemotePostgres();
  const cases: [string, RegExp][] = [
    [elsewhere({ port: '1' }), /127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)/],
    [elsewhere({ password: 'hunter2' }), /refuses the login troth_owner/],
    [elsewhere({ pathname: '/nothing' }), /has no database nothing/],
    [withMode('prefer'), /sslmode is one of disable, require, verify-ca, verify-full/],
    [withMode('verify-full'), new RegExp(`certificate of 127.0.0.1:${port} is not trusted`)],
    [withMode('verify-full', '/nowhere.pem'), /sslrootcert: \/nowhere\.pem cannot be read/],
    [`${other.url}?sslmode=require`, /offers no TLS|does not answer/],
    [remote.appUrl, /the login troth_app lacks a right/],
  ];
  try {
    for (const [url, says] of cases) {
      await assert.rejects(openDatabase({ url, log: silentLog }), (error: Error) => {
        assert.match(error.message, /^database-not-preparable: /);
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, new RegExp(`hunter2|${new URL(server.url).password}`));
        return true;
      });
    }
  } finally {
    await other.stop();
  }
});

test('a database belongs to one keyring, and is refused to every other', async () => {
  await claimDatabase(remote.admin, 'first');
  await claimDatabase(remote.admin, 'first');
  await assert.rejects(claimDatabase(remote.admin, 'second'), { code: 'data-without-keys' });
});

const folder = mkdtempSync(join(tmpdir(), 'troth-migrations-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of migrations: ours, and those given. */
async function migrationsWith(files: Record<string, string>) {
  const directory = mkdtempSync(join(folder, 'set-'));
  cpSync(
    join(import.meta.dirname, '..', '..', 'migrations', 'control'),
    join(directory, 'control'),
    {
      recursive: true,
    },
  );
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, 'control', name), text);
  }
  return readMigrations('control', directory);
}

const control = { section: 'control', schema: 'troth', log: silentLog } as const;

test('twenty servers that start at once on an empty database apply each migration once', async () => {
  const engines = await testEngines();
  const name = `empty_${randomBytes(6).toString('hex')}`;
  const url = withDatabase(engines.postgresUrl, name);
  const admin = connect(engines.postgresUrl, { max: 1 });
  await admin.unsafe(`create database ${name}`);
  const migrations = await readMigrations('control');
  const servers = Array.from({ length: 20 }, () => connect(url, { max: 1 }));
  const counts = await Promise.all(
    servers.map((server) => migrateSchema(server, control, migrations)),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    migrations.length,
  );
  await Promise.all(servers.map((server) => server.end()));
  await admin.unsafe(`drop database ${name}`);
  await admin.end();
  engines.release();
});

test('a migration that fails leaves neither its number nor a part of its work', async () => {
  const { admin } = world.db;
  const broken = await migrationsWith({
    '0901_broken.sql': 'create table half (n integer); select 1 / 0;',
  });
  await assert.rejects(migrateSchema(admin, control, broken), { code: '22012' });
  const [seen] = await admin`select to_regclass('troth.half') as half`;
  assert.equal(seen?.['half'], null);
  const mended = await migrationsWith({ '0901_broken.sql': 'create table half (n integer);' });
  assert.equal(await migrateSchema(admin, control, mended), 1);
});

test('an applied migration that was edited is refused', async () => {
  const { admin } = world.db;
  await migrateSchema(admin, control, await migrationsWith({ '0902_seen.sql': 'select 1;' }));
  const edited = await migrationsWith({ '0902_seen.sql': 'select 2;' });
  await assert.rejects(migrateSchema(admin, control, edited), { code: 'migration-changed' });
});

test('a database that a newer server changed for good is refused, and one that it widened is not', async () => {
  const { admin } = world.db;
  await migrateSchema(admin, control, await migrationsWith({ '0910_wider.sql': 'select 1;' }));
  assert.equal(await migrateSchema(admin, control, await readMigrations('control')), 0);
  const breaking = '-- Another shape.\n-- breaking\nselect 1;';
  await migrateSchema(admin, control, await migrationsWith({ '0911_other.sql': breaking }));
  const older = readMigrations('control');
  await assert.rejects(migrateSchema(admin, control, await older), { code: 'database-newer' });
  await admin`delete from troth.migrations where number > 900`;
});

test("ClickHouse's migrations run once, statement by statement", async () => {
  const seen: string[] = [];
  const text = '-- why\ncreate x;\n\ncreate y\n  (z);\n';
  const migrations = [{ number: 999, name: 'x', text, checksum: 'c', breaking: false }];
  const run = () =>
    migrateEvents(world.db.admin, async (statement) => void seen.push(statement), {
      log: silentLog,
      migrations,
    });
  assert.deepEqual([await run(), await run()], [1, 0]);
  assert.deepEqual(seen, ['create x', 'create y\n  (z)']);
});

test('two migrations with one number are refused: the second would never run', async () => {
  const files = { '0920_one.sql': 'select 1;', '0920_two.sql': 'select 1;' };
  await assert.rejects(migrationsWith(files), /two migrations of control have the number 920/);
});

test('every migration says why it is there and who owns it', async () => {
  for (const section of ['control', 'tenant', 'events'] as const) {
    for (const { name, text } of await readMigrations(section)) {
      assert.match(text, /^-- [A-Z]/, name);
      assert.match(text, /^-- Owner: [a-z]+\/[a-z]+/m, name);
    }
  }
});

test('a URL with a socket directory, a password with signs and an IPv6 host is read right', () => {
  const socket = targetOf('postgresql://me:p%40ss@localhost/db?host=%2Ftmp%2Fx');
  assert.deepEqual([socket.host, socket.password, socket.database], ['/tmp/x', 'p@ss', 'db']);
  const remoteTarget = targetOf('postgres://me:x@[::1]:6000/db?sslmode=require');
  assert.deepEqual([remoteTarget.host, remoteTarget.port], ['::1', 6000]);
});
