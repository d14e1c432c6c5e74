import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

/** No service has objects or cached entries yet, and both sentences name them. */
const NOT_THERE_YET = ['MG-03', 'MG-05'];
/** Its sentence is about data and queries, and not about addresses. */
const NOT_OF_ADDRESSES = ['LK-08'];

test('services have a schema, a context and addresses of their own', async () => {
  await proven.keeps('tenancy.no-crossing', NOT_THERE_YET);
  await proven.keeps('tenancy.own-schema');
  await proven.keeps('tenancy.row-security');
  await proven.keeps('tenancy.own-endpoint');
});

test('a table that the database does not guard is found', async () => {
  const { sql } = proven;
  await sql`alter table tenant_magenta.consent_receipts no force row level security`;
  await proven.breaks('tenancy.row-security');
  await sql`alter table tenant_magenta.consent_receipts force row level security`;
  await proven.keeps('tenancy.row-security');
});

test('a rule that lets everybody see is found', async () => {
  const { sql } = proven;
  await sql`create policy everybody on tenant_magenta.consent_receipts using (true)`;
  await proven.breaks('tenancy.row-security');
  await sql`drop policy everybody on tenant_magenta.consent_receipts`;
});

test('a database that takes a forged context is found', async () => {
  const { sql } = proven;
  const [genuine] = await sql<{ text: string }[]>`
    select pg_get_functiondef('troth_sec.tenant'::regproc) as text`;
  await sql`
    create or replace function troth_sec.tenant() returns text
    language sql stable security definer
    as $$ select nullif(split_part(current_setting('troth.context', true), '|', 1), '') $$`;
  await proven.breaks('tenancy.row-security');
  await sql.unsafe(genuine?.text ?? '');
  await proven.keeps('tenancy.row-security');
});

test('rows that are seen from the context of another service are found', async () => {
  const { sql } = proven;
  for (const name of ['tenant_magenta', 'tenant_loopkit']) {
    await sql`alter table ${sql(name)}.consent_receipts disable row level security`;
  }
  await proven.breaks('tenancy.no-crossing');
  for (const name of ['tenant_magenta', 'tenant_loopkit']) {
    await sql`alter table ${sql(name)}.consent_receipts enable row level security`;
  }
  await proven.keeps('tenancy.no-crossing', NOT_THERE_YET);
});

test('a purpose that is shown the events of another service is found', async () => {
  const { sql, events } = proven;
  const views: string[] = [];
  for (const [tenant, from] of [
    ['loopkit', 'tenant_magenta.analytics_events'],
    ['magenta', 'tenant_loopkit.feature_usage'],
  ] as const) {
    const [row] = await sql<{ login: number }[]>`
      select login from troth.purpose_logins where tenant = ${tenant} order by login limit 1`;
    const view = `purpose_${String(row?.login).padStart(3, '0')}.borrowed`;
    await events.command(`create view ${view} as select subject from ${from}`);
    views.push(view);
  }
  // MG-05 says nothing of queries.
  await proven.breaks('tenancy.no-crossing', ['MG-05']);
  for (const view of views) await events.command(`drop view ${view} sync`);
});

test('a service whose rows also go into the schema of another is found', async () => {
  const { sql } = proven;
  await sql`alter table tenant_loopkit.consent_receipts disable row level security`;
  await sql`
    create function tenant_loopkit.copy() returns trigger language plpgsql security definer
    as $$ begin insert into tenant_loopkit.consent_receipts select new.*; return null; end $$`;
  await sql`
    create trigger copied after insert on tenant_magenta.consent_receipts
    for each row execute function tenant_loopkit.copy()`;
  await proven.breaks('tenancy.own-schema');
  await sql`drop function tenant_loopkit.copy() cascade`;
  await sql`alter table tenant_loopkit.consent_receipts enable row level security`;
});

test('a service whose events are also kept with another is found', async () => {
  await proven.restart();
  const { events } = proven;
  const [table] = await events.query<{ name: string }>(
    `select name from system.tables where database = 'tenant_magenta' and name = 'analytics_events'`,
  );
  const name = table?.name ?? '';
  await events.command(
    `create materialized view tenant_loopkit.copied engine = MergeTree order by subject
     as select subject from tenant_magenta.${name}`,
  );
  await proven.breaks('tenancy.own-schema');
  await events.command('drop table tenant_loopkit.copied');
});

test('a door that opens to the key of another service is found', async () => {
  await proven.restart([
    [
      'domains/ingest/write-keys.ts',
      'tenant !== undefined && tenant !== key.tenant',
      'tenant !== undefined && false',
    ],
  ]);
  await proven.breaks('tenancy.own-endpoint');
  await proven.breaks('tenancy.no-crossing', NOT_OF_ADDRESSES);
});
