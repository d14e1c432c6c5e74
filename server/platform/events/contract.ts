/** What every ClickHouse must do for us, embedded or remote; its test runs it against each. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Events, TABLE_SETTINGS_CLAUSE } from './index.ts';

export function eventsContract(name: string, open: () => Promise<Events>): void {
  async function table(work: (events: Events, database: string) => Promise<void>): Promise<void> {
    const events = await open();
    const database = `contract_${randomBytes(6).toString('hex')}`;
    await events.command(`create database ${database}`);
    try {
      await events.command(`
        create table ${database}.rows (n UInt64, word String, expires DateTime('UTC'))
        engine = MergeTree order by n ttl expires delete ${TABLE_SETTINGS_CLAUSE}`);
      await work(events, database);
    } finally {
      await events.command(`drop database ${database} sync`);
    }
  }
  const columns = ['n', 'word', 'expires'];
  const rows = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => ({
      n: from + i,
      word: `w${i}`,
      expires: 4_000_000_000,
    }));
  const count = async (events: Events, database: string) => {
    const [row] = await events.query<{ n: string }>(`select count() as n from ${database}.rows`);
    return Number(row?.n);
  };

  test(`${name}: rows are visible when their insert is acknowledged`, () =>
    table(async (events, database) => {
      const at = { database, table: 'rows', columns };
      await events.insert({ ...at, rows: rows(10), format: 'JSONEachRow' });
      assert.equal(await count(events, database), 10);
    }));

  test(`${name}: rows encoded as RowBinary arrive in one piece, from one buffer or several`, () =>
    table(async (events, database) => {
      const row = (n: number) => {
        const bytes = Buffer.alloc(8 + 1 + 2 + 4);
        bytes.writeBigUInt64LE(BigInt(n), 0);
        bytes.write('\x02hi', 8, 'latin1');
        bytes.writeUInt32LE(4_000_000_000, 11);
        return bytes;
      };
      const at = { database, table: 'rows', columns, format: 'RowBinary' } as const;
      await events.insert({ ...at, rows: Buffer.concat([row(1), row(2)]) });
      await events.insert({ ...at, rows: [row(3), row(4)] });
      assert.equal(await count(events, database), 4);
      const cut = row(5).subarray(0, 9);
      await assert.rejects(events.insert({ ...at, rows: cut }), { code: 'events-refused' });
      assert.equal(await count(events, database), 4);
    }));

  test(`${name}: the same token twice is stored once, also when both come at once`, () =>
    table(async (events, database) => {
      const batch = { database, table: 'rows', columns, format: 'JSONEachRow' } as const;
      const insert = () => events.insert({ ...batch, rows: rows(100), token: 'batch-1' });
      await Promise.all([insert(), insert()]);
      await insert();
      assert.equal(await count(events, database), 100);
    }));

  test(`${name}: a parameter is a value, whatever it says`, () =>
    table(async (events, database) => {
      const hostile = "'; drop table rows; --\\";
      const [row] = await events.query<{ said: string }>('select {said:String} as said', {
        said: hostile,
      });
      assert.equal(row?.said, hostile);
      assert.equal(await count(events, database), 0);
    }));

  test(`${name}: what was deleted is gone from the disk within seconds, not minutes`, () =>
    table(async (events, database) => {
      const at = { database, table: 'rows', columns };
      await events.insert({ ...at, rows: rows(100), format: 'JSONEachRow' });
      await events.command(`alter table ${database}.rows delete where n < {n:UInt64}`, { n: 50 });
      assert.equal(await count(events, database), 50);
      const inactive = async () => {
        const [row] = await events.query<{ n: string }>(
          'select count() as n from system.parts where database = {database:String} and not active',
          { database },
        );
        return Number(row?.n);
      };
      const end = Date.now() + 10_000;
      while ((await inactive()) > 0 && Date.now() < end)
        await new Promise((r) => setTimeout(r, 100));
      assert.equal(await inactive(), 0);
    }));

  test(`${name}: a name that is not ours never becomes a part of a statement`, async () => {
    const events = await open();
    const rows = [{ n: 1 }];
    await assert.rejects(
      events.insert({
        database: 'a`b',
        table: 'rows',
        columns: ['n'],
        rows,
        format: 'JSONEachRow',
      }),
    );
  });

  test(`${name}: a refused statement is a problem with the engine's code`, async () => {
    const events = await open();
    await assert.rejects(events.query('select * from nowhere.nothing'), { code: 'events-refused' });
  });
}
