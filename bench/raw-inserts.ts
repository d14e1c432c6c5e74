/**
 * The limits of the engines: the rows that the server stored, inserted again by nothing but a
 * client of the engine, as durable as before. Prints rows a second as one JSON line.
 */
import { readFileSync } from 'node:fs';
import { connect } from '../server/platform/database/index.ts';
import { openEvents } from '../server/platform/events/index.ts';

export type RawJob = {
  postgres: string;
  clickhouse: string;
  /** What holds the rows. */
  database: string;
  table: string;
  rowsACommit: number;
  rowsAnInsert: number;
  seconds: number;
};
export type RawResult = { postgres: number; clickhouse: number; rowBytes: number };

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RawJob;

/** Repeats until the time is up; @returns rows a second. */
async function rate(rows: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < job.seconds * 1000) {
    await work();
    done += rows;
  }
  return done / ((performance.now() - began) / 1000);
}

async function readRows(): Promise<Buffer> {
  const { origin, username, password } = new URL(job.clickhouse);
  const query = `select * from ${job.database}.${job.table} limit ${job.rowsAnInsert} format RowBinary`;
  const answer = await fetch(`${origin}/?query=${encodeURIComponent(query)}`, {
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
  });
  if (!answer.ok) throw new Error(`ClickHouse answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

async function measureClickHouse(rows: Buffer): Promise<number> {
  const { database, table } = job;
  const raw = `${table}_raw`;
  const events = openEvents(job.clickhouse);
  const place = { database, table };
  const found = await events.query<{ name: string }>(
    `select name from system.columns
     where database = {database:String} and table = {table:String} order by position`,
    place,
  );
  const columns = found.map(({ name }) => name);
  await events.command(`create table ${database}.${raw} as ${database}.${table}`);
  let turn = 0;
  const insert = () => {
    turn += 1;
    const token = `raw-${turn}`;
    return events.insert({ database, table: raw, columns, rows, format: 'RowBinary', token });
  };
  const measured = await rate(job.rowsAnInsert, insert);
  await events.command(`drop table ${database}.${raw}`);
  await events.close();
  return measured;
}

async function measurePostgres(rowBytes: number): Promise<number> {
  const sql = connect(job.postgres, { max: 1, connection: { search_path: 'troth' } });
  const body = Buffer.alloc(rowBytes * job.rowsACommit, 0x5a);
  await sql`create table raw_inbox (like inbox including all)`;
  const at = new Date();
  const measured = await rate(
    job.rowsACommit,
    () => sql`
      insert into raw_inbox (received_at, rows, bytes, body)
      values (${at}, ${job.rowsACommit}, ${body.length}, ${body})`,
  );
  await sql`drop table raw_inbox`;
  await sql.end();
  return measured;
}

const rows = await readRows();
const rowBytes = Math.round(rows.length / job.rowsAnInsert);
const [clickhouse, postgres] = [await measureClickHouse(rows), await measurePostgres(rowBytes)];
const result: RawResult = { postgres, clickhouse, rowBytes };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.disconnect?.();
