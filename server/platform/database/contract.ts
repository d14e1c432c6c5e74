/** What every PostgreSQL must do for us, embedded or remote; its test runs it against each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from './index.ts';

export function databaseContract(name: string, open: () => Promise<Database>): void {
  test(`${name}: the server's own login can neither make, change nor drop a schema's parts`, async () => {
    const { sql } = await open();
    for (const statement of [
      'create schema mine',
      'create table troth.mine (n integer)',
      'drop table troth.policies',
      'alter table troth.policies disable row level security',
      'create role mine',
      'select * from troth_sec.secrets',
      'truncate troth.policies',
      'update troth.policies set hash = hash',
      "copy (select 1) to program 'true'",
    ]) {
      await assert.rejects(sql.unsafe(statement), { code: '42501' }, statement);
    }
  });

  test(`${name}: a parameter is a value, whatever it says`, async () => {
    const { sql } = await open();
    const hostile = "'; drop table troth.policies; --";
    const [row] = await sql<{ said: string }[]>`select ${hostile}::text as said`;
    assert.equal(row?.said, hostile);
  });

  test(`${name}: a transaction that throws leaves nothing`, async () => {
    const { admin } = await open();
    await admin.unsafe('create table if not exists troth.contract_rows (n integer)');
    const work = admin.begin(async (tx) => {
      await tx`insert into troth.contract_rows values (1)`;
      throw new Error('on purpose');
    });
    await assert.rejects(work, /on purpose/);
    assert.equal((await admin`select 1 from troth.contract_rows`).length, 0);
    await admin.unsafe('drop table troth.contract_rows');
  });

  test(`${name}: a notice reaches those who listen`, async () => {
    const { sql } = await open();
    const heard = Promise.withResolvers<string>();
    const listening = await sql.listen('troth_contract', heard.resolve);
    await sql.notify('troth_contract', 'hello');
    assert.equal(await heard.promise, 'hello');
    await listening.unlisten();
  });

  test(`${name}: a commit is durable before it is acknowledged`, async () => {
    const { sql } = await open();
    const [row] = await sql<{ commit: string }[]>`
      select current_setting('synchronous_commit') as commit`;
    assert.equal(row?.commit, 'on');
  });
}
