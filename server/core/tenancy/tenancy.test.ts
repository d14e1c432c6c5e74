import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { readPolicy } from '@troth/policy-language';
import { PurposeId, TenantId } from '#base/ids';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import {
  eventsDatabaseOf,
  eventTableOf,
  inTenant,
  listTenants,
  purposeRoleOf,
  schemaOf,
} from './index.ts';

/** A table as a tenant migration would make it, so that the test owns what it looks at. */
const NOTES = 'create table notes (subject text primary key, body text)';

const world = useWorld({
  policies: [samplePolicy, samplePolicy],
  setUp: async ({ db, tenants, apply }) => {
    for (const tenant of tenants) {
      const schema = schemaOf(tenant);
      await db.admin.unsafe(NOTES.replace('notes', `${schema}.notes`));
      const notes = `  notes:
    title: Notes
    from: notes
    categories: [user.content]
    purposes: [service-delivery]
    retain: P90D
    key: subject
`;
      // A new revision brings the table's row security and its grants.
      await apply(samplePolicy(tenant, { more: notes }));
    }
  },
});
const now = new Date();
const two = () => {
  const [first, second] = world.tenants;
  assert.ok(first && second);
  return [first, second] as const;
};

test("a tenant's rows are its own: another tenant's transaction sees and changes none", async () => {
  const [first, second] = two();
  const addTo = (tenant: TenantId, body: string) =>
    world.inTenant((tx) => tx`insert into notes values ('ada', ${body})`, { tenant });
  await addTo(first, 'first');
  await addTo(second, 'second');
  await world.inTenant(
    async (tx) => {
      assert.deepEqual([...(await tx`select body from notes`)], [{ body: 'first' }]);
      const foreign = tx`${tx(schemaOf(second))}`;
      assert.equal((await tx`select 1 from ${foreign}.notes`).length, 0);
      assert.equal((await tx`update ${foreign}.notes set body = 'x'`).count, 0);
      assert.equal((await tx`delete from ${foreign}.notes`).count, 0);
    },
    { tenant: first },
  );
  await assert.rejects(
    world.inTenant((tx) => tx`insert into ${tx(schemaOf(second))}.notes values ('eve', 'x')`),
    { code: '42501' },
  );
});

test('without a context, no row of any tenant is seen', async () => {
  const [first] = two();
  const rows = await world.db.sql`select 1 from ${world.db.sql(schemaOf(first))}.notes`;
  assert.equal(rows.length, 0);
});

test('a forged context, one of another connection and an old one read nothing', async () => {
  const [first] = two();
  const sign = (key: Buffer, claim: string) =>
    `${claim}|${createHmac('sha256', key).update(claim).digest('hex')}`;
  const minute = Math.floor(Date.now() / 60_000);
  const { sql, contextKey } = world.db;
  const [seen] = await sql<{ backend: number }[]>`select pg_backend_pid() as backend`;
  const forgeries = [
    sign(Buffer.alloc(32), `${first}|${seen?.backend}|${minute}`),
    sign(contextKey, `${first}|999999|${minute}`),
    sign(contextKey, `${first}|${seen?.backend}|${minute - 120}`),
    `${first}|${seen?.backend}|${minute}|00`,
    `${first}`,
    `${first}|x|y|z`,
  ];
  for (const forged of forgeries) {
    const reading = sql.begin(async (tx) => {
      await tx`select set_config('troth.context', ${forged}, true)`;
      return tx`select 1 from ${tx(schemaOf(first))}.notes`;
    });
    await assert.rejects(reading, (error) => error instanceof Error, forged);
  }
});

test('every table of a tenant has forced row security with a policy for everybody', async () => {
  for (const tenant of world.tenants) {
    const open = await world.db.admin`
      select relname
      from pg_class
      left join pg_policy on polrelid = pg_class.oid and polroles = '{0}'
      where relnamespace = ${schemaOf(tenant)}::regnamespace and relkind in ('r', 'p')
        and (not relrowsecurity or not relforcerowsecurity or polrelid is null)`;
    assert.deepEqual([...open], []);
  }
});

test('a purpose reads the tables of the data declared for it, and no other', async () => {
  const read = (purpose: string) =>
    world.inTenant((tx) => tx`select body from notes`, { purpose: PurposeId(purpose) });
  assert.equal((await read('service-delivery')).length, 1);
  await assert.rejects(read('statistics'), { code: '42501' });
  await assert.rejects(read('invented-here'), { code: '22023' });
});

test('an eraser may delete and read, and may not write', async () => {
  const erase = <T>(work: Parameters<typeof inTenant<T>>[2]) =>
    inTenant(world.db, { tenant: world.tenant, role: 'troth_eraser', now }, work);
  await assert.rejects(
    erase((tx) => tx`insert into notes values ('new', 'x')`),
    { code: '42501' },
  );
  assert.equal(
    await erase(async (tx) => (await tx`delete from notes where subject = 'ada'`).count),
    1,
  );
});

test('a transaction knows its tenant, its revision and its time, and a throw undoes it', async () => {
  const seen = await world.inTenant(async (tx) => {
    const [row] = await tx<{ tenant: string }[]>`select troth_sec.tenant() as tenant`;
    return [tx.tenant, tx.revision, tx.now, row?.tenant];
  });
  assert.deepEqual(seen, [world.tenant, 2, world.clock.now(), world.tenant]);
  const undone = world.inTenant(async (tx) => {
    await tx`insert into notes values ('bob', 'x')`;
    throw new Error('on purpose');
  });
  await assert.rejects(undone, /on purpose/);
  const left = await world.inTenant((tx) => tx`select 1 from notes where subject = 'bob'`);
  assert.equal(left.length, 0);
});

test('the context does not outlive its transaction on a connection that is used again', async () => {
  for (let round = 0; round < 20; round++) await world.inTenant((tx) => tx`select 1`);
  const [row] = await world.db.sql`
    select troth_sec.tenant() as tenant, current_user as login,
           current_setting('search_path') as path`;
  assert.deepEqual({ ...row }, { tenant: null, login: 'troth_app', path: 'troth' });
});

test('a service that has no policy in force is unknown', async () => {
  const nobody = { tenant: TenantId('nobody'), now };
  await assert.rejects(
    inTenant(world.db, nobody, async () => undefined),
    { code: 'tenant-unknown' },
  );
  assert.throws(() => world.policies.inForce(TenantId('nobody')), { code: 'tenant-unknown' });
  assert.deepEqual((await listTenants(world.db)).sort(), [...world.tenants].sort());
});

test('names of tenants and purposes never meet, however long they are', () => {
  const long = TenantId(`a${'b'.repeat(30)}`);
  const purposes = ['c', 'd'].map((end) => purposeRoleOf(long, `${'p'.repeat(40)}${end}`));
  assert.notEqual(purposes[0], purposes[1]);
  for (const role of purposes) assert.ok(role.length <= 63);
  assert.equal(schemaOf(TenantId('a-b')), 'tenant_a_b');
});

test('an event table has a column for each clear field, none for a sealed one, none for the rest', async () => {
  const { policy } = world.policies.inForce(world.tenant);
  const table = eventTableOf(world.tenant, policy, 'usage');
  const stored = await world.events.query<{ name: string; type: string }>(
    'select name, type from system.columns where database = {d:String} and table = {t:String} order by position',
    { d: table.database, t: table.table },
  );
  assert.deepEqual(
    stored.map(({ name, type }) => [name, type]),
    table.columns.map(({ name, type }) => [name, type]),
  );
  const fields = stored.map(({ name }) => name).filter((name) => name.startsWith('f_'));
  assert.deepEqual(fields, ['f_tool', 'f_plan', 'f_duration_ms', 'f_amount', 'f_ok']);
});

test('order and partitions follow from who the rows are about and how long they live', async () => {
  const { policy } = readPolicy(samplePolicy('acme'), { file: 'acme.yaml' });
  assert.ok(policy);
  const usage = eventTableOf(TenantId('acme'), policy, 'usage');
  const views = eventTableOf(TenantId('acme'), policy, 'page-views');
  assert.deepEqual(
    [usage.orderBy, usage.partitionBy, usage.retainSeconds],
    ['(subject, received_at)', 'toYYYYMM(received_at)', 90 * 86_400],
  );
  assert.deepEqual(
    [views.orderBy, views.partitionBy],
    ['(name, received_at)', 'toMonday(received_at)'],
  );
  assert.equal(views.database, eventsDatabaseOf(TenantId('acme')));
});

test('a row that is past its expiry leaves by itself within seconds', async () => {
  const database = eventsDatabaseOf(world.tenant);
  const at = Math.floor(Date.now() / 1000);
  const rows = [at + 2, at + 86_400].map((expires) => ({
    received_at: new Date().toISOString().slice(0, -1),
    name: 'page',
    expires,
  }));
  const columns = ['received_at', 'name', 'expires'];
  const table = { database, table: 'page_views', columns, format: 'JSONEachRow' } as const;
  await world.events.insert({ ...table, rows });
  const count = async () => {
    const [row] = await world.events.query<{ n: string }>(
      `select count() as n from ${database}.page_views`,
    );
    return Number(row?.n);
  };
  assert.equal(await count(), 2);
  const end = Date.now() + 30_000;
  while ((await count()) > 1 && Date.now() < end) await new Promise((r) => setTimeout(r, 200));
  assert.equal(await count(), 1);
});
