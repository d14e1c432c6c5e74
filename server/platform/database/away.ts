/**
 * Whether what was thrown says that an engine is away, or has no room: the one place that knows
 * PostgreSQL's signs.
 */
import { Word } from '#base/ids';
import { Problem } from '#base/problem';
import { framesOf, type Log } from '#platform/log';
import { databaseProblem } from './errors.ts';

/** What postgres.js and the sockets of both drivers throw: `code` says it. */
const NO_CONNECTION =
  /^(CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|E(CONN(REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|HOSTUNREACH|NETUNREACH))$/;
/** Ended by its keeper, crashed, or starting; and a connection that broke. SQLSTATE. */
const NOT_SERVING = /^(57P0[123]|08[0-9A-Z]{3})$/;
/** SQLSTATE disk_full. Nothing of the transaction was done, and reads go on. */
const NO_SPACE = '53100';
const RETRY_SECONDS = 2;
const SPACE_RETRY_SECONDS = 10;
/** Engine by the code of the problem that its adapter throws while it is away. */
const ENGINES: Readonly<Record<string, Word>> = {
  'database-unavailable': Word('postgresql'),
  'events-unavailable': Word('clickhouse'),
  'keeper-unavailable': Word('keeper'),
};

/** @returns the problem that a client is told, or undefined when the engine was there and well. */
export function databaseAway(thrown: unknown): Problem | undefined {
  if (!(thrown instanceof Error) || thrown instanceof Problem) return undefined;
  const { code, syscall } = thrown as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return undefined;
  if (code === NO_SPACE) {
    return databaseProblem('database-full', 'There is no room to write; nothing was changed.', {
      retryAfterSeconds: SPACE_RETRY_SECONDS,
    });
  }
  // Its socket is a file, gone with it. Any other file that is missing is another matter.
  const noSocket = code === 'ENOENT' && syscall === 'connect';
  if (!noSocket && !NO_CONNECTION.test(code) && !NOT_SERVING.test(code)) return undefined;
  return databaseProblem('database-unavailable', 'No answer from the database.', {
    retryAfterSeconds: RETRY_SECONDS,
  });
}

/** What work in the background threw: an engine that is away or full is named, all else is a bug. */
export function logThrown(log: Log, where: Word, thrown: unknown): void {
  const { code } = databaseAway(thrown) ?? (thrown instanceof Problem ? thrown : { code: '' });
  const engine = ENGINES[code];
  if (code === 'database-full') log('disk.full', { engine: Word('postgresql'), where });
  else if (engine) log('engine.away', { engine, where });
  else log('bug.seen', { where, frames: framesOf(thrown) });
}
