/**
 * The limits of the engines: the rows that the server stored, inserted again by nothing but the
 * engine's own client, as durable as before. Prints rows a second as one JSON line.
 */
import { readFileSync } from 'node:fs';
import { connect } from '../server/platform/database/index.ts';

export type RawJob = {
  postgres: string;
  clickhouse: string;
  /** `database.table` that holds the rows. */
  table: string;
  rowsACommit: number;
  rowsAnInsert: number;
  seconds: number;
};
export type RawResult = { postgres: number; clickhouse: number; rowBytes: number };

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RawJob;

/** Rows go in the body, and the statement beside them; alone, the statement is the body. */
async function ask(statement: string, rows?: Buffer): Promise<Buffer> {
  const { origin, username, password } = new URL(job.clickhouse);
  const path = rows ? `/?query=${encodeURIComponent(statement)}` : '/';
  const answer = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
    body: rows ? new Uint8Array(rows) : statement,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(bytes.toString().slice(0, 300));
  return bytes;
}

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

async function measurePostgres(rowBytes: number): Promise<number> {
  const sql = connect(job.postgres, { max: 1 });
  const body = Buffer.alloc(rowBytes * job.rowsACommit, 0x5a);
  await sql`create table raw_inbox (like inbox including all)`;
  await sql`alter table raw_inbox alter column body set storage external`;
  const at = new Date();
  const postgres = await rate(
    job.rowsACommit,
    () => sql`
      insert into raw_inbox (received_at, rows, bytes, body)
      values (${at}, ${job.rowsACommit}, ${body.length}, ${body})`,
  );
  await sql`drop table raw_inbox`;
  await sql.end();
  return postgres;
}

const rows = await ask(
  `select * from ${job.table} limit ${job.rowsAnInsert} format RowBinary settings max_threads = 1`,
);
const rowBytes = Math.round(rows.length / job.rowsAnInsert);
await ask(`create table ${job.table}_raw as ${job.table}`);
const insert = `insert into ${job.table}_raw settings insert_deduplicate = 0 format RowBinary`;
const clickhouse = await rate(job.rowsAnInsert, () => ask(insert, rows));
await ask(`drop table ${job.table}_raw`);
const result: RawResult = { postgres: await measurePostgres(rowBytes), clickhouse, rowBytes };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.disconnect?.();
