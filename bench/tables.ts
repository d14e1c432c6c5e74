/** The same load spread over 300 tables at once: 30 services with ten types of events each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { writeManyPolicies } from './generated-policies.ts';
import { type Installation, install } from './installation.ts';
import { BATCH } from './payloads.ts';
import { figure } from './rig.ts';
import { during, reportLoad, reportMemory, watch } from './sustained.ts';

const TENANTS = Array.from({ length: 30 }, (_, n) => `service-${n}`);
const TYPES = 10;
const PACE = 42_000;
const PEOPLE_A_TENANT = 1_000;

/** A batch touches every type of its service. */
const bodies = Array.from({ length: PEOPLE_A_TENANT / BATCH }, (_, turn) =>
  JSON.stringify({
    batch: Array.from({ length: BATCH }, (__, n) => ({
      type: 'track',
      messageId: 'm-%ID%00000000',
      userId: `person-${turn * BATCH + n}`,
      event: `record_${n % TYPES}`,
      properties: { tool: 'shell', outcome: 'done', arguments: { cwd: `/srv/${n}`, argv: ['ls'] } },
    })),
  }),
);

type Stored = { rows: number; oldestNewest: number; tables: number };

/** Over all tables; of their newest rows, the oldest: no table may be left behind. */
async function stored({ events }: Installation): Promise<Stored> {
  const each = TENANTS.flatMap((tenant) =>
    Array.from({ length: TYPES }, (_, n) => `tenant_${tenant.replaceAll('-', '_')}.records_${n}`),
  ).map(
    (table) =>
      `select count() as n, toUnixTimestamp64Milli(max(received_at)) as newest from ${table}`,
  );
  const [found] = await events.query<Stored>(
    `select toFloat64(sum(n)) as rows, toFloat64(min(newest)) as oldestNewest,
            toFloat64(countIf(n > 0)) as tables
     from (${each.join(' union all ')})`,
  );
  return found ?? { rows: 0, oldestNewest: 0, tables: 0 };
}

export async function benchTables(seconds = 120): Promise<void> {
  const installation = await install({
    writePolicies: (folder) => writeManyPolicies(folder, { tenants: TENANTS, types: TYPES }),
  });
  try {
    const job = { connections: 16, requestsPerSecond: PACE / BATCH };
    const all = Object.fromEntries(TENANTS.map((tenant) => [tenant, bodies]));
    const warm = await installation.send(all, { ...job, seconds: 10 });
    const newest = async () => (await stored(installation)).oldestNewest;
    const watched = watch(installation, newest);
    const { result, cpu } = await during(installation, () =>
      installation.send(all, { ...job, seconds }),
    );
    await watched.stop();
    figure({
      name: 'tables written at once',
      value: (await stored(installation)).tables,
      unit: 'tables',
    });
    reportLoad(result, { lags: watched.lags, cpu });
    reportMemory(watched.memory);
    await sleep(5_000);
    const value = (await stored(installation)).rows;
    const beside = { name: 'acknowledged', value: (warm.requests + result.requests) * BATCH };
    figure({ name: '  events in the event store', value, unit: 'events', beside });
  } finally {
    await installation.close();
  }
}
