/**
 * Ingest with every step on, acknowledged durable; server and engines on one core, the load on the
 * other. Beside it, from the same run: a bare Node server that parses the same bodies, and the
 * engines' raw insert of the same rows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Installation, install } from './installation.ts';
import { BATCH, clearSingles, sealedBatches, sealedSingles } from './payloads.ts';
import { type ByPart, cpuSeconds } from './processes.ts';
import type { RawResult } from './raw-inserts.ts';
import {
  type Figure,
  figure,
  firstLine,
  type LoadResult,
  load,
  perSecond,
  runScript,
  shares,
  startNode,
} from './rig.ts';

/** Umami 3.1 on a machine of this class, acknowledged after its commit, one core. */
const UMAMI = { single: 312, batch: 360 };
const CORE = 0;
const BATCHES = sealedBatches(5_000);

type Measured = { load: LoadResult; cpu: ByPart };

async function measure(
  { roots, send }: Installation,
  job: { tenant: string; bodies: readonly string[]; seconds: number; connections: number } & {
    requestsPerSecond?: number;
  },
): Promise<Measured> {
  const { tenant, bodies, ...rest } = job;
  const before = cpuSeconds(roots);
  const result = await send({ [tenant]: bodies }, rest);
  const after = cpuSeconds(roots);
  const used = Object.entries(after).map(([part, now]) => [part, now - (before[part] ?? 0)]);
  return { load: result, cpu: Object.fromEntries(used) as ByPart };
}

async function bareRate(bodies: readonly string[], seconds: number): Promise<number> {
  const bare = startNode(['bench/bare-server.ts'], CORE);
  try {
    const port = Number(await firstLine(bare));
    const requests = bodies.map((body) => ({ path: '/', authorization: '', body }));
    const job = { port, requests, connections: 32, core: 1 - CORE };
    await load({ ...job, seconds: 1 });
    return perSecond(await load({ ...job, seconds }));
  } finally {
    bare.kill();
  }
}

function report(
  name: string,
  { load: result, cpu }: Measured,
  given: { events: number; bare: number; umami?: number; aims?: { rate: number; p99?: number } },
): void {
  const { events, bare, umami, aims } = given;
  const rate = perSecond(result) * events;
  const lines: Figure[] = [
    { name, value: rate, unit: 'events/s', beside: { name: 'bare Node', value: bare * events } },
    { name: '  its p99', value: result.p99, unit: 'ms' },
  ];
  if (aims && lines[0]) lines[0].aim = { value: aims.rate };
  if (aims?.p99 && lines[1]) lines[1].aim = { value: aims.p99, atMost: true };
  if (umami) {
    const beside = { name: 'Umami 3.1', value: umami };
    lines.push({ name: '  beside a peer', value: rate, unit: 'events/s', beside });
  }
  for (const line of lines) figure(line);
  const each = Object.entries(cpu).map(([part, used]) => {
    return [part, (used / (result.requests * events)) * 1e6];
  });
  shares('CPU an event', 'µs', Object.fromEntries(each) as ByPart);
  const refused = Object.entries(result.statuses).filter(([status]) => status !== '200');
  if (refused.length > 0) process.stdout.write(`  not 200: ${JSON.stringify(refused)}\n`);
}

async function singles(installation: Installation, seconds: number): Promise<void> {
  const sealed = { tenant: 'clanker', bodies: sealedSingles, connections: 64 };
  await measure(installation, { ...sealed, seconds: 4 });
  const bare = await bareRate(sealedSingles, seconds / 3);
  const pace = await measure(installation, { ...sealed, seconds, requestsPerSecond: 10_000 });
  report('single events, sealed, 10,000 a second sent', pace, {
    events: 1,
    bare,
    aims: { rate: 9_990, p99: 15 },
  });
  const most = await measure(installation, { ...sealed, seconds });
  report('single events, sealed, as many as go', most, {
    events: 1,
    bare,
    umami: UMAMI.single,
    aims: { rate: 10_000 },
  });
  const clear = { tenant: 'loopkit', bodies: clearSingles, connections: 64 };
  await measure(installation, { ...clear, seconds: 2 });
  report(
    'single events, nothing to seal',
    await measure(installation, { ...clear, seconds: seconds / 2 }),
    { events: 1, bare: await bareRate(clearSingles, seconds / 3) },
  );
}

/** @returns events a second. */
async function batches(installation: Installation, seconds: number): Promise<number> {
  const sealed = { tenant: 'clanker', bodies: BATCHES, connections: 8 };
  await measure(installation, { ...sealed, seconds: 3 });
  const bare = await bareRate(BATCHES, seconds / 3);
  const most = await measure(installation, { ...sealed, seconds });
  report('batches of 100, sealed', most, {
    events: BATCH,
    bare,
    umami: UMAMI.batch,
    aims: { rate: 50_000 },
  });
  return perSecond(most.load) * BATCH;
}

async function rawInserts(installation: Installation, rate: number): Promise<void> {
  const place = { database: 'tenant_clanker', table: 'agent_commands' };
  const job = {
    ...installation.urls,
    ...place,
    rowsACommit: 400,
    rowsAnInsert: 20_000,
    seconds: 5,
  };
  const raw = await runScript<RawResult>('raw-inserts.ts', job, CORE);
  for (const [name, limit] of [
    ['PostgreSQL alone, 400 a commit', raw.postgres],
    ['ClickHouse alone, 20,000 an insert', raw.clickhouse],
  ] as const) {
    const beside = { name, value: limit };
    figure({ name: '  beside the same rows', value: rate, unit: 'events/s', beside });
  }
  figure({ name: 'bytes of a row on its way', value: raw.rowBytes, unit: 'B' });
}

export async function benchIngest(seconds = 12): Promise<void> {
  const installation = await install({ core: CORE });
  try {
    await singles(installation, seconds);
    const rate = await batches(installation, seconds);
    await sleep(3_000);
    await rawInserts(installation, rate);
  } finally {
    await installation.close();
  }
}
