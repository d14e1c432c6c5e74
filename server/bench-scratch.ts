import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '#platform/database';
import { startPostgres } from '#platform/database';
import { openEvents, startClickHouse } from '#platform/events';
import { applyPolicy, openPolicies } from '#core/policy';
import { KeyId, TenantId } from '#base/ids';
import { stepTimes } from './domains/ingest/pipeline.ts';
import { openDoor } from './domains/ingest/testing/small-world.ts';
const dir = mkdtempSync('/tmp/ingest-b-'); (await import('node:fs')).chmodSync(dir, 0o755);
const log = () => undefined;
const pg = await startPostgres({ dataDir: join(dir, 'pg'), runtimeDir: dir, log });
const ch = await startClickHouse({ dataDir: join(dir, 'ch'), runtimeDir: dir, log });
const db = await openDatabase({ url: pg.url, log });
const events = openEvents(ch.url);
const policies = await openPolicies(db, { log });
const tenant = TenantId('clanker');
const operator = { kind: 'operator', id: KeyId('bench') } as const;
const text = readFileSync('policies/clanker.yaml', 'utf8').replace(/events-per-second: \d+/, 'events-per-second: 1000000');
await applyPolicy(db, events, { text, file: 'c.yaml', actor: operator, now: new Date() });
await policies.refresh(tenant);
const door = await openDoor({ db, events, policies, tenants: [tenant], tenant, operator } as never, { waitMs: 700 });
console.log(JSON.stringify({ port: (door.server.address() as { port: number }).port, key: door.keyOf(tenant), pids: [process.pid, pg.pid, ch.pid] }));
let cpu = process.cpuUsage();
setInterval(async () => {
  const now = process.cpuUsage(cpu); cpu = process.cpuUsage();
  const v = await door.ingest.view(tenant, '2020-01-01');
  console.error(JSON.stringify({ cpu: Math.round((now.user + now.system) / 30000) , rss: Math.round(process.memoryUsage().rss / 1e6), lag: v.lagMs, backlog: v.backlog, kept: v.counted.find((c) => c.reason === 'kept')?.count,
   us: Object.fromEntries(stepTimes.map((s) => [s.step, +(s.milliseconds * 1000 / (s.batches || 1)).toFixed(1)])) }));
}, 3000);
process.on('SIGTERM', async () => { 
  const v = await events.query('select count() c, uniq(message) u from tenant_clanker.agent_commands'); console.error(JSON.stringify(v));
  const p = await events.query("select sum(bytes_on_disk)/sum(rows) b from system.parts where active and table='agent_commands'"); console.error(JSON.stringify(p));
  await door.close(); await pg.stop(); await ch.stop(); process.exit(0); });
