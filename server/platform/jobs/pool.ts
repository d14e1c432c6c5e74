import { Pool } from 'pg';
import { poolTargetOf } from '#platform/database';

/** Connections of the queue, which speaks `pg`. */
export function openPool(url: string, connectionsMax: number): Pool {
  const pool = new Pool({
    ...poolTargetOf(url),
    max: connectionsMax,
    application_name: 'troth-jobs',
    connectionTimeoutMillis: 10_000,
  });
  // A lost connection is met by the next query; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
