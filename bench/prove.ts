/** What proving costs: a round over the five services, the byte search, and the tax on ingest. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openByteScan } from '../server/platform/bytes/index.ts';
import { asOperator } from '../server/testing/running.ts';
import { type Installation, install, policiesWithoutLimits } from './installation.ts';
import { sealedBatches } from './payloads.ts';
import { type ByPart, cpuSeconds, total } from './processes.ts';
import { figure, perSecond, shares } from './rig.ts';

/** The pause between rounds that the server keeps by itself. */
const ROUND_EVERY_SECONDS = 3_600;
/** The service that takes in events while proofs run. */
const LOADED = 'clanker';
const BATCH = 100;
const PATTERNS = 300;
const PATTERN_BYTES = 16;
const FILE_MB = 256;
const FILES = 4;

type Round = { seconds: number; kept: number; findings: number; cpu: ByPart };

/** One round as the schedule runs it. The prover ends with it, so its share is sampled meanwhile. */
async function runRound({ server, roots }: Installation): Promise<Round> {
  const began = performance.now();
  const before = cpuSeconds(roots);
  let prover = 0;
  let running = true;
  const sampling = (async () => {
    for (; running; await sleep(200)) prover = Math.max(prover, cpuSeconds(roots)['prover'] ?? 0);
  })();
  const answer = await asOperator(server, '/v1/operator/prove', { body: {} });
  const lines = (await answer.text()).split('\n').filter(Boolean);
  running = false;
  await sampling;
  const after = cpuSeconds(roots);
  const cpu = Object.fromEntries(
    Object.entries(after).map(([part, seconds]) => [part, seconds - (before[part] ?? 0)]),
  );
  const found = lines.map((line) => JSON.parse(line) as { state: string; promises: string[] });
  const kept = found.filter(({ state }) => state === 'kept').flatMap(({ promises }) => promises);
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, kept: kept.length, findings: found.length, cpu: { ...cpu, prover } };
}

async function benchRounds(installation: Installation): Promise<void> {
  await runRound(installation); // Keys, plans and caches as in any round but the first.
  const { seconds, kept, findings, cpu } = await runRound(installation);
  figure({
    name: `a round over five services, ${findings} findings, ${kept} kept`,
    value: seconds,
    unit: 's',
    aim: { value: 300, atMost: true },
  });
  figure({ name: 'CPU of a round, all processes', value: total(cpu), unit: 's' });
  shares('of that', 's', cpu);
  figure({
    name: 'share of a core, a round each hour',
    value: (total(cpu) / (ROUND_EVERY_SECONDS + seconds)) * 100,
    unit: '% of core',
    aim: { value: 5, atMost: true },
  });
}

async function benchTax(installation: Installation, seconds: number): Promise<void> {
  const bodies = { [LOADED]: sealedBatches(500) };
  const job = { connections: 16, seconds };
  await installation.send(bodies, { ...job, seconds: 2 });
  const alone = perSecond(await installation.send(bodies, job)) * BATCH;
  let proving = true;
  const rounds = (async () => {
    while (proving) await runRound(installation);
  })();
  const beside = perSecond(await installation.send(bodies, job)) * BATCH;
  proving = false;
  figure({
    name: 'events/s while proofs run without a pause',
    value: beside,
    unit: 'events/s',
    beside: { name: 'without proofs', value: alone },
  });
  await rounds;
}

/** Files of random bytes, which no search finds anything in, against reading them alone. */
async function benchSearch(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-bytes-'));
  try {
    const files = Array.from({ length: FILES }, (_, at) => join(folder, `part-${at}`));
    for (const file of files) writeFileSync(file, randomBytes(FILE_MB * 1024 * 1024));
    const read = () => {
      const began = performance.now();
      for (const file of files) readFileSync(file);
      return (performance.now() - began) / 1_000;
    };
    read();
    const gigabytes = (FILES * FILE_MB) / 1024;
    const alone = gigabytes / read();
    const patterns = Array.from({ length: PATTERNS }, () => randomBytes(PATTERN_BYTES));
    const { stores } = await openByteScan({ roots: { files } }).scan(patterns);
    const [seen] = stores;
    figure({
      name: `byte search for ${PATTERNS} patterns`,
      value: gigabytes / (seen?.seconds ?? Number.POSITIVE_INFINITY),
      unit: 'GB/s',
      beside: { name: 'reading alone', value: alone },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How much of what lies in the data directory a search reads. */
async function benchCoverage({ folder }: Installation): Promise<void> {
  const roots = { everything: [folder] };
  const { stores } = await openByteScan({ roots }).scan([randomBytes(PATTERN_BYTES)]);
  const [seen] = stores;
  const unread = seen?.unreadable.length ?? 0;
  figure({ name: 'files read in the data directory', value: seen?.files ?? 0, unit: 'files' });
  figure({
    name: 'files that could not be read',
    value: unread,
    unit: 'files',
    aim: { value: 0, atMost: true },
  });
}

export async function benchProve(seconds = 15): Promise<void> {
  await benchSearch();
  const writePolicies = (folder: string) => policiesWithoutLimits(folder, LOADED);
  const installation = await install({ writePolicies });
  try {
    await benchRounds(installation);
    await benchCoverage(installation);
    await benchTax(installation, seconds);
  } finally {
    await installation.close();
  }
}
