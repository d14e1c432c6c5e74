import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Word } from '#base/ids';
import { Problem } from '#base/problem';
import { openLog } from '#platform/log';
import { databaseAway, logThrown } from './away.ts';
import { connect } from './connection.ts';
import { databaseProblem } from './errors.ts';

async function thrownBy(url: string): Promise<unknown> {
  const sql = connect(url, { max: 1, connect_timeout: 1 });
  try {
    await sql`select 1`;
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

test('a PostgreSQL that is not there is told from a defect', { timeout: 10_000 }, async () => {
  const problem = databaseAway(await thrownBy('postgresql://a:b@127.0.0.1:1/c'));
  assert.equal(problem?.code, 'database-unavailable');
  assert.equal(problem?.status, 503);
  assert.equal(problem?.retryAfterSeconds, 2);
});

test('a defect, a refusal and a missing file stay what they are', () => {
  const coded = (code: unknown, more = {}) => Object.assign(new Error('x'), { code, ...more });
  const others = [
    new TypeError('x'),
    'ECONNREFUSED',
    undefined,
    coded('42P01'),
    coded('57014'),
    coded(8),
    coded('ENOENT', { syscall: 'open' }),
    new Problem('x', { status: 500, title: 'x' }, 'x'),
    databaseProblem('database-newer', 'x'),
  ];
  for (const other of others) assert.equal(databaseAway(other), undefined);
  for (const code of ['57P01', '57P02', '57P03', '08006', 'CONNECTION_ENDED'])
    assert.equal(databaseAway(coded(code))?.code, 'database-unavailable', code);
  const full = databaseAway(coded('53100'));
  assert.deepEqual([full?.code, full?.status, full?.retryAfterSeconds], ['database-full', 503, 10]);
  const noSocket = coded('ENOENT', { syscall: 'connect' });
  assert.equal(databaseAway(noSocket)?.code, 'database-unavailable');
});

test('in the log an engine that is away or full is no bug, and a bug is no engine', () => {
  const lines: string[] = [];
  const log = openLog((line) => lines.push(line));
  const unavailable = { status: 503, title: 'x' };
  for (const [thrown, says, line = 'engine.away'] of [
    [Object.assign(new Error('x'), { code: 'CONNECTION_CLOSED' }), 'postgresql'],
    [Object.assign(new Error('x'), { code: '53100' }), 'postgresql', 'disk.full'],
    [new Problem('events-unavailable', unavailable, 'x'), 'clickhouse'],
    [new Problem('keeper-unavailable', unavailable, 'x'), 'keeper'],
    [new Problem('events-refused', { status: 500, title: 'x' }, 'x'), 'bug.seen'],
    [new TypeError('x'), 'bug.seen'],
    ['x', 'bug.seen'],
  ] as const) {
    logThrown(log, Word('jobs.tend'), thrown);
    const {
      event,
      engine = event,
      where,
    } = JSON.parse(lines.pop() ?? '') as Record<string, string>;
    assert.equal(engine, says);
    assert.equal(event, says === 'bug.seen' ? says : line);
    assert.equal(where, 'jobs.tend');
  }
});
