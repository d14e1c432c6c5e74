/**
 * Holds one PostgreSQL and one ClickHouse for all test files of a run.
 *
 * A process of its own: test files come and go in processes of theirs. It ends, and removes its
 * files, a few seconds after the last of them has gone; when it is killed its engines die with it.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect, startPostgres } from '#platform/database';
import { startClickHouse } from '#platform/events';
import { openLog } from '#platform/log';

const LINGER_MS = 15_000;

const [directory = ''] = process.argv.slice(2);
mkdirSync(directory, { recursive: true, mode: 0o711 });

// The lock decides between holders that were started at once; it is gone when its owner is.
const lock = new DatabaseSync(join(directory, 'holder.lock'));
try {
  lock.exec('pragma busy_timeout = 0; begin exclusive');
} catch {
  process.exit(0);
}

const dataDir = join(directory, 'data');
rmSync(dataDir, { recursive: true, force: true });
rmSync(join(directory, 'socket'), { force: true });
const log = openLog(() => undefined);
const options = { dataDir, runtimeDir: directory, log, durable: false };
const [database, events] = await Promise.all([startPostgres(options), startClickHouse(options)]);
// Every test file makes and drops a database of its own; no server of ours may.
const sql = connect(database.superUrl, { max: 1 });
await sql.unsafe('alter role troth_owner createdb; grant pg_signal_backend to troth_owner');
await sql.end();
const answer = JSON.stringify({ postgresUrl: database.url, clickhouseUrl: events.url });

const clients = new Set<Socket>();
let ending: NodeJS.Timeout | undefined;

async function end(): Promise<void> {
  server.close();
  await Promise.all([database.stop(), events.stop()]);
  for (const name of ['data', 'socket', 'p', 'c']) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
  process.exit(0);
}

function linger(): void {
  clearTimeout(ending);
  if (clients.size === 0) ending = setTimeout(() => void end(), LINGER_MS);
}

const server = createServer((client) => {
  clients.add(client);
  clearTimeout(ending);
  client.on('error', () => undefined);
  client.on('close', () => {
    clients.delete(client);
    linger();
  });
  client.write(`${answer}\n`);
});
server.listen(join(directory, 'socket'), linger);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
