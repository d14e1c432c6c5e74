import { test } from 'node:test';
import { useProven } from '#testing/proven';

const proven = useProven();

test('services have a schema, a context and addresses of their own', async () => {
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

test('a service whose rows go into the schema of another is found', async () => {
  await proven.restart([
    ['core/tenancy/tenant-tx.ts', 'schemaOf(tenant)', "schemaOf('loopkit' as TenantId)"],
  ]);
  await proven.sql`alter table tenant_loopkit.consent_receipts disable row level security`;
  await proven.breaks('tenancy.own-schema');
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
});
