/**
 * Ingest with every step on, acknowledged durable, beside its limits in the same run: a bare Node
 * server that parses the same bodies, and the engine's raw insert of as many rows.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startRunning } from '../server/testing/running.ts';
import {
  cpuSeconds,
  figure,
  firstLine,
  folderBytes,
  type LoadResult,
  load,
  memoryMb,
  startNode,
} from './rig.ts';

const PAGES = ['/dashboard', '/reports', '/settings', '/billing', '/team', '/docs'];

/** A page view of LoopKit's printed sample, by one of 5,000 people; `%ID%` is filled by the load. */
function pageView(person: number) {
  return {
    type: 'track',
    messageId: 'm-%ID%00000000',
    anonymousId: `anonymous-${person}`,
    event: 'page_view',
    properties: {
      page: PAGES[person % PAGES.length],
      section: 'analytics',
      time_spent: person % 90,
    },
    context: { userAgent: 'Mozilla/5.0 (X11; Linux x64) Chrome/141.0.0.0 Safari/537.36' },
  };
}

/** An agent command of CLANKER.WORKS: its arguments are sealed under the subject's key. */
function agentCommand(person: number) {
  return {
    type: 'track',
    messageId: 'm-%ID%00000000',
    userId: `operator-${person}`,
    event: 'agent_command',
    properties: {
      tool: 'shell',
      arguments: `{"cwd":"/srv/${person}","argv":["ls"]}`,
      outcome: 'done',
    },
  };
}

const people = (count: number) => Array.from({ length: count }, (_, index) => index);
const single = people(500).map((person) => JSON.stringify(agentCommand(person)));
const batches = people(50).map((turn) =>
  JSON.stringify({ batch: people(100).map((n) => agentCommand(turn * 100 + n)) }),
);
const clear = people(500).map((person) => JSON.stringify(pageView(person)));

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

function report(name: string, result: LoadResult, events: number, bare: LoadResult) {
  const rate = (r: LoadResult) => (r.requests / r.seconds) * events;
  figure(`${name}: events`, rate(result), 'events/s', { name: 'bare Node', value: rate(bare) });
  figure(`${name}: p99`, result.p99, 'ms', { name: 'bare Node', value: bare.p99 });
  const refused = Object.entries(result.statuses).filter(([status]) => status !== '200');
  if (refused.length > 0) process.stdout.write(`  not 200: ${JSON.stringify(refused)}\n`);
}

async function bareLoad(bodies: string[], seconds: number): Promise<LoadResult> {
  const bare = startNode(['bench/bare-server.ts'], {}, 0);
  try {
    const port = Number(await firstLine(bare));
    return await load({ port, path: '/', bodies, connections: 32, seconds, core: 1 });
  } finally {
    bare.kill();
  }
}

async function loadServer(
  server: RunningServer,
  job: { bodies: string[]; seconds: number; connections?: number; tenant?: string },
) {
  const tenant = job.tenant ?? 'clanker';
  return load({
    port: Number(new URL(server.url).port),
    path: `/v1/t/${tenant}/batch`,
    headers: bearer(server.writeKeys[tenant] ?? ''),
    bodies: job.bodies,
    connections: job.connections ?? 32,
    seconds: job.seconds,
    core: 1,
  });
}

/** One event is a batch of one for our own path; the Segment path takes it bare. */
async function loadSingle(
  server: RunningServer,
  tenant: string,
  bodies: string[],
  seconds: number,
) {
  return load({
    port: Number(new URL(server.url).port),
    path: `/v1/t/${tenant}/track`,
    headers: bearer(server.writeKeys[tenant] ?? ''),
    bodies,
    connections: 64,
    seconds,
    core: 1,
  });
}

/**
 * The five policies with the limits on senders lifted: they would stop the load, as they should.
 */
function policiesWithoutLimits(): string {
  const from = join(import.meta.dirname, '..', 'policies');
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-policies-'));
  for (const file of readdirSync(from).filter((name) => /\.(yaml|md)$/.test(name))) {
    const text = readFileSync(join(from, file), 'utf8');
    const lifted = text
      .replaceAll(/events-per-second: \d+/g, 'events-per-second: 10000000')
      .replaceAll(/requests-per-minute: \d+/g, 'requests-per-minute: 600000000');
    writeFileSync(join(folder, file), lifted);
  }
  return folder;
}

export async function benchIngest(seconds = 15): Promise<void> {
  const policies = policiesWithoutLimits();
  const server = await startRunning({ core: 0, args: ['--policies', policies] });
  try {
    await loadSingle(server, 'clanker', single, 5);
    report(
      'single, sealed, one core',
      await loadSingle(server, 'clanker', single, seconds),
      1,
      await bareLoad(single, 5),
    );
    report(
      'single, clear, one core',
      await loadSingle(server, 'loopkit', clear, seconds),
      1,
      await bareLoad(clear, 5),
    );
    await loadServer(server, { bodies: batches, seconds: 5 });
    const cpu = cpuSeconds(server.child.pid ?? 0);
    const result = await loadServer(server, { bodies: batches, seconds, connections: 8 });
    report('batches of 100, sealed, one core', result, 100, await bareLoad(batches, 5));
    figure(
      '  CPU of all processes',
      ((cpuSeconds(server.child.pid ?? 0) - cpu) / result.seconds) * 100,
      '% of core',
    );
    await sleep(5000);
    figure('memory of all processes after the load', memoryMb(server.child.pid ?? 0), 'MB');
    figure('data directory', folderBytes(server.dataDir) / 1e6, 'MB');
  } finally {
    await server.stop();
    rmSync(policies, { recursive: true, force: true });
  }
}
