/**
 * Minutes of events at a pace, on both cores, acknowledged durable and queryable: how far behind
 * the event store is, what memory does, and what an event takes on the disk.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { folderBytes, type Installation, install } from './installation.ts';
import { BATCH, sealedBatches } from './payloads.ts';
import { type ByPart, cpuSeconds, memoryMb } from './processes.ts';
import { figure, type LoadResult, perSecond, shares } from './rig.ts';

const PACE = 42_000;
const PEOPLE = 20_000;
const TABLE = 'tenant_clanker.agent_commands';
const LOOK_MS = 250;
const MEMORY_MS = 5_000;
/** Umami 3.1: 1,130 B an event in its one table and fifteen indexes. */
const UMAMI_BYTES = 1_130;

type Stored = { rows: number; newest: number };

/** Answered from the parts' own minima and maxima: costs nothing, however many rows there are. */
async function stored({ events }: Installation): Promise<Stored> {
  const [found] = await events.query<Stored>(
    `select toFloat64(count()) as rows, toFloat64(toUnixTimestamp64Milli(max(received_at))) as newest
     from ${TABLE}`,
  );
  return found ?? { rows: 0, newest: 0 };
}

export type Watched = { readonly lags: number[]; readonly memory: ByPart[]; stop(): Promise<void> };

/** Looks at `newest` and at memory while a load runs. */
export function watch(installation: Installation, newestMs: () => Promise<number>): Watched {
  const lags: number[] = [];
  const memory: ByPart[] = [];
  let watching = true;
  const looking = (async () => {
    // The first rows have to arrive before anything can be behind.
    await sleep(3_000);
    while (watching) {
      const newest = await newestMs();
      lags.push(Date.now() - newest);
      await sleep(LOOK_MS);
    }
  })();
  const sampling = (async () => {
    while (watching) {
      memory.push(memoryMb(installation.roots));
      await sleep(MEMORY_MS);
    }
  })();
  return {
    lags,
    memory,
    async stop() {
      watching = false;
      await Promise.all([looking, sampling]);
    },
  };
}

export const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;

function reportLoad(
  result: LoadResult,
  { lags, cpu, events }: { lags: readonly number[]; cpu: ByPart; events: number },
): void {
  const aim = { value: 40_000 };
  figure({
    name: 'sustained, acknowledged',
    value: perSecond(result) * BATCH,
    unit: 'events/s',
    aim,
  });
  figure({ name: '  p99 of an answer', value: result.p99, unit: 'ms' });
  const late = { value: 2_000, atMost: true };
  figure({ name: '  until queryable, p50', value: percentile(lags, 0.5), unit: 'ms' });
  figure({ name: '  until queryable, p99', value: percentile(lags, 0.99), unit: 'ms', aim: late });
  const each = Object.entries(cpu).map(([part, used]) => [part, (used / events) * 1e6]);
  shares('CPU an event', 'µs', Object.fromEntries(each) as ByPart);
  const refused = Object.entries(result.statuses).filter(([status]) => status !== '200');
  if (refused.length > 0) process.stdout.write(`  not 200: ${JSON.stringify(refused)}\n`);
}

/** What each part held, as the load went on: a leak shows as a last fifth above the fifth before. */
function reportMemory(memory: readonly ByPart[]): void {
  const fifth = Math.max(1, Math.floor(memory.length / 5));
  const mean = (part: string, from: number) => {
    const some = memory.slice(from * fifth, (from + 1) * fifth);
    return some.reduce((sum, one) => sum + (one[part] ?? 0), 0) / Math.max(1, some.length);
  };
  process.stdout.write('  memory in MB (PSS), mean of each fifth of the time\n');
  for (const part of Object.keys(memory.at(-1) ?? {})) {
    const means = [0, 1, 2, 3, 4].map((at) => Math.round(mean(part, at)).toString().padStart(6));
    process.stdout.write(`    ${part.padEnd(12)}${means.join('')}\n`);
  }
}

/** CPU seconds of each part while the work was done. */
async function cpuOf({ roots }: Installation, work: () => Promise<void>): Promise<ByPart> {
  const before = cpuSeconds(roots);
  await work();
  const used = Object.entries(cpuSeconds(roots)).map(([part, now]) => {
    return [part, now - (before[part] ?? 0)];
  });
  return Object.fromEntries(used) as ByPart;
}

/** @returns the rows of the event store, once all that was acknowledged is there. */
async function settle(rows: () => Promise<number>, acknowledged: number): Promise<number> {
  for (let look = 0; look < 240; look += 1) {
    const stored = await rows();
    if (stored >= acknowledged) return stored;
    await sleep(250);
  }
  return rows();
}

type Sustained = {
  readonly bodies: Readonly<Record<string, readonly string[]>>;
  readonly job: Parameters<Installation['send']>[1];
  readonly watched: Watched;
  readonly warm: LoadResult;
  /** How many rows the event store holds, over all tables. */
  readonly rows: () => Promise<number>;
};

/** Sends, waits until all is stored, and reports; the CPU is of both. */
export async function loadAndSettle(installation: Installation, given: Sustained): Promise<void> {
  const { bodies, job, watched, warm, rows } = given;
  const before = await rows();
  let result = warm;
  let stored = before;
  const cpu = await cpuOf(installation, async () => {
    result = await installation.send(bodies, job);
    await watched.stop();
    stored = await settle(rows, (warm.requests + result.requests) * BATCH);
  });
  reportLoad(result, { lags: watched.lags, cpu, events: stored - before });
  reportMemory(watched.memory);
  const beside = { name: 'acknowledged', value: (warm.requests + result.requests) * BATCH };
  figure({ name: '  events in the event store', value: stored, unit: 'events', beside });
}

async function bytesAnEvent({ events }: Installation): Promise<{ bytes: number; parts: number }> {
  const [found] = await events.query<{ bytes: number; parts: number }>(
    `select toFloat64(sum(bytes_on_disk)) / sum(rows) as bytes, toFloat64(count()) as parts
     from system.parts
     where active and database || '.' || table = {table:String}`,
    { table: TABLE },
  );
  return found ?? { bytes: 0, parts: 0 };
}

export async function benchSustained(seconds = 300): Promise<void> {
  const installation = await install({});
  try {
    const bodies = { clanker: sealedBatches(PEOPLE) };
    const job = { connections: 16, requestsPerSecond: PACE / BATCH };
    const warm = await installation.send(bodies, { ...job, seconds: 8 });
    const watched = watch(installation, async () => (await stored(installation)).newest);
    const rows = async () => (await stored(installation)).rows;
    await loadAndSettle(installation, { job: { ...job, seconds }, bodies, watched, warm, rows });
    await sleep(10_000);
    const { bytes, parts } = await bytesAnEvent(installation);
    const beside = { name: 'Umami 3.1', value: UMAMI_BYTES };
    const aim = { value: 150, atMost: true };
    figure({ name: 'bytes an event on disk', value: bytes, unit: 'B', beside, aim });
    figure({ name: '  in parts', value: parts, unit: 'parts' });
    const engines = folderBytes(installation.folder) / 1e6;
    figure({ name: '  both engines and the keyring, all told', value: engines, unit: 'MB' });
  } finally {
    await installation.close();
  }
}
