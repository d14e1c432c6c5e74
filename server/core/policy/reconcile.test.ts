import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsDatabaseOf, loginOf, purposeRoleOf, schemaOf } from '#core/tenancy';
import { type Events, openPurposeReader, purposeLogin } from '#platform/events';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { reconcilePurposes } from './index.ts';

const ACCOUNTS = `  accounts:
    title: Accounts
    from: accounts
    categories: [user.account]
    purposes: [service-delivery]
    retain: P90D
    key: subject
`;
const world = useWorld({
  policies: [(service) => samplePolicy(service, { more: ACCOUNTS })],
  setUp: async ({ db, tenant }) => {
    // As if a migration of a newer version had made it: no apply knew of it.
    await db.admin.unsafe(`create table ${schemaOf(tenant)}.accounts (id uuid primary key)`);
  },
});

/** A start, as far as purposes are concerned. Returns what it had to send to ClickHouse. */
async function start(): Promise<string[]> {
  const sent: string[] = [];
  const events: Events = {
    ...world.events,
    command: (sql, params) => {
      sent.push(sql);
      return world.events.command(sql, params);
    },
  };
  const { db, policies } = world;
  await reconcilePurposes({ db, events, log: silentLog }, policies.tenants().map(policies.inForce));
  return sent;
}

const viewOf = async (purpose: string, table: string) => {
  const login = (await loginOf(world.db, world.tenant, purpose)) ?? -1;
  return `${purposeLogin(login)}.${eventsDatabaseOf(world.tenant)}__${table}`;
};

async function columnsOf(view: string): Promise<string[]> {
  const [database, name] = view.split('.');
  const rows = await world.events.query<{ name: string }>(
    'select name from system.columns where database = {database:String} and table = {name:String}',
    { database, name },
  );
  return rows.map((row) => row.name);
}

const rightsOn = async (table: string, purpose: string) => {
  const [row] = await world.db.admin<{ rights: string }[]>`
    select string_agg(privilege_type, ' ' order by privilege_type) as rights
    from pg_class, aclexplode(relacl)
    where oid = ${`${schemaOf(world.tenant)}.${table}`}::regclass
      and grantee = ${purposeRoleOf(world.tenant, purpose)}::regrole`;
  return row?.rights ?? '';
};

test('a table that came after the apply is given to the purposes of its data, at the next start', async () => {
  assert.equal(await rightsOn('accounts', 'service-delivery'), '');
  assert.deepEqual(await start(), []);
  assert.equal(await rightsOn('accounts', 'service-delivery'), 'INSERT SELECT UPDATE');
  assert.equal(await rightsOn('accounts', 'statistics'), '');
});

test('a view of an older version, one changed by hand, one too many and one that is lost are mended', async () => {
  const [changed, lost, extra] = [
    await viewOf('service-delivery', 'usage'),
    await viewOf('statistics', 'usage'),
    await viewOf('service-delivery', 'page_views'),
  ];
  const database = eventsDatabaseOf(world.tenant);
  const before = await columnsOf(changed);
  await world.events.command(
    `create or replace view ${changed} sql security none as select * from ${database}.usage`,
  );
  await world.events.command(`drop view ${lost} sync`);
  await world.events.command(
    `create view ${extra} sql security none as select * from ${database}.page_views`,
  );
  assert.ok((await columnsOf(changed)).includes('sealed'));

  assert.equal((await start()).filter((sql) => / view /.test(sql)).length, 3);
  assert.deepEqual(await columnsOf(changed), before);
  assert.deepEqual(await columnsOf(lost), before);
  assert.deepEqual(await columnsOf(extra), []);
  const reader = openPurposeReader(world.clickhouseUrl);
  const login = (await loginOf(world.db, world.tenant, 'statistics')) ?? -1;
  await reader.query(login, `select count() from ${lost}`);
  await reader.close();
  assert.deepEqual(await start(), [], 'what stands is left alone');
});

test('rights and memberships that were changed by hand are those of the policy again', async () => {
  const { admin } = world.db;
  const [schema, role, other] = [
    schemaOf(world.tenant),
    purposeRoleOf(world.tenant, 'service-delivery'),
    purposeRoleOf(world.tenant, 'statistics'),
  ];
  await admin.unsafe(`
    grant delete on ${schema}.accounts to ${role};
    grant select on ${schema}.consent_receipts to ${other};
    revoke usage on schema ${schema} from ${other};
    revoke troth_purpose from ${other};
    grant ${role} to troth_app with inherit true`);
  await start();
  assert.equal(await rightsOn('accounts', 'service-delivery'), 'INSERT SELECT UPDATE');
  assert.equal(await rightsOn('consent_receipts', 'statistics'), '');
  const [held] = await admin`
    select has_schema_privilege(${other}, ${schema}, 'usage') as usage,
           pg_has_role(${other}, 'troth_purpose', 'usage') as family,
           pg_has_role('troth_app', ${role}, 'usage') as inherited,
           pg_has_role('troth_app', ${role}, 'set') as entered`;
  assert.deepEqual({ ...held }, { usage: true, family: true, inherited: false, entered: true });
});

test('a purpose without a login, as before there were logins, gets one and its views', async () => {
  await world.db.admin`
    delete from troth.purpose_logins where tenant = ${world.tenant} and purpose = 'statistics'`;
  await start();
  const columns = await columnsOf(await viewOf('statistics', 'usage'));
  assert.ok(columns.includes('f_tool'));
  assert.deepEqual(await start(), []);
});

test('a statement that an engine refuses stops neither the others nor the start', async () => {
  const database = eventsDatabaseOf(world.tenant);
  const [whole, broken] = [
    await viewOf('service-delivery', 'usage'),
    await viewOf('statistics', 'page_views'),
  ];
  for (const view of [whole, broken]) await world.events.command(`drop view ${view} sync`);
  await world.events.command(`drop table ${database}.page_views sync`);
  await start();
  assert.ok((await columnsOf(whole)).length > 0);
});
