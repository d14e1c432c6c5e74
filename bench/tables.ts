/** The same load spread over 300 tables at once: 30 services with ten types of events each. */
import { connect } from '../server/platform/database/index.ts';
import { writeManyPolicies } from './generated-policies.ts';
import { type Installation, install } from './installation.ts';
import { BATCH } from './payloads.ts';
import { figure } from './rig.ts';
import { loadAndSettle, watch } from './sustained.ts';

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

/** Rows and tables that hold any; asked once, since asking 300 tables costs what it measures. */
async function stored({ events }: Installation): Promise<{ rows: number; tables: number }> {
  const [found] = await events.query<{ rows: number; tables: number }>(
    `select toFloat64(sum(rows)) as rows, toFloat64(uniqExact(database, table)) as tables
     from system.parts
     where active and startsWith(table, 'records_')`,
  );
  return found ?? { rows: 0, tables: 0 };
}

/** A row leaves the inbox when its whole round is queryable: so no table is left behind it. */
async function readOldestWaiting(sql: ReturnType<typeof connect>): Promise<number> {
  const [oldest] = await sql<{ at: Date }[]>`
    select received_at as at from inbox order by id limit 1`;
  return oldest?.at.getTime() ?? Date.now();
}

export async function benchTables(seconds = 120): Promise<void> {
  const installation = await install({
    writePolicies: (folder) => writeManyPolicies(folder, { tenants: TENANTS, types: TYPES }),
  });
  const sql = connect(installation.urls.postgres, {
    max: 1,
    connection: { search_path: 'troth' },
  });
  try {
    const job = { connections: 16, requestsPerSecond: PACE / BATCH };
    const all = Object.fromEntries(TENANTS.map((tenant) => [tenant, bodies]));
    const warm = await installation.send(all, { ...job, seconds: 10 });
    const watched = watch(installation, () => readOldestWaiting(sql));
    const rows = async () => (await stored(installation)).rows;
    await loadAndSettle(installation, {
      job: { ...job, seconds },
      bodies: all,
      watched,
      warm,
      rows,
    });
    const { tables } = await stored(installation);
    figure({ name: 'tables written at once', value: tables, unit: 'tables' });
  } finally {
    await sql.end();
    await installation.close();
  }
}
