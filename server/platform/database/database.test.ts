import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '#platform/log';
import { testEngines } from '#testing/engines';
import { useWorld } from '#testing/world';
import { databaseContract } from './contract.ts';
import {
  connect,
  type Database,
  databaseProblem,
  migrateEvents,
  migrateSchema,
  openDatabase,
  readMigrations,
  targetOf,
  withDatabase,
} from './index.ts';

const world = useWorld({ policies: [] });
databaseContract('the PostgreSQL of the tests', async () => world.db);

const remote = process.env['TROTH_TEST_REMOTE_POSTGRES_URL'];
let opened: Promise<Database> | undefined;
after(async () => (await opened)?.close());
if (remote) {
  databaseContract('a remote PostgreSQL', () => {
    opened ??= openDatabase({ url: remote, log: silentLog });
    return opened;
  });
} else {
  test(
    'a remote PostgreSQL',
    { skip: 'TROTH_TEST_REMOTE_POSTGRES_URL names none' },
    () => undefined,
  );
}

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
      ...{ log: silentLog, migrations },
    });
  assert.deepEqual([await run(), await run()], [1, 0]);
  assert.deepEqual(seen, ['create x', 'create y\n  (z)']);
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
  assert.deepEqual(
    [remoteTarget.host, remoteTarget.port, remoteTarget.ssl],
    ['::1', 6000, 'require'],
  );
});

test('a database whose roles cannot be made is refused with a sentence', async () => {
  const problem = databaseProblem('database-not-preparable', 'the login may not create roles');
  assert.equal(problem.status, 503);
  await assert.rejects(
    openDatabase({ url: world.db.appUrl.replace('troth_app', 'nobody'), log: silentLog }),
  );
});
