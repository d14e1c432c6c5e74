/**
 * The embedded engines without the server, so that a benchmark can ask them itself. Takes the
 * folder, prints the two URLs, and ends with its parent.
 */
import { mkdirSync } from 'node:fs';
import { startPostgres } from '../server/platform/database/index.ts';
import { startClickHouse } from '../server/platform/events/index.ts';
import { silentLog } from '../server/platform/log/index.ts';
import { shortDirectory } from '../server/platform/runtime/index.ts';

const [dataDir = ''] = process.argv.slice(2);
mkdirSync(dataDir, { recursive: true });
const given = { dataDir, runtimeDir: shortDirectory(dataDir), log: silentLog };
const [postgres, clickhouse] = await Promise.all([startPostgres(given), startClickHouse(given)]);
process.stdout.write(`${JSON.stringify({ postgres: postgres.url, clickhouse: clickhouse.url })}\n`);
process.once('disconnect', async () => {
  await Promise.all([postgres.stop(), clickhouse.stop()]);
  process.exit(0);
});
