/**
 * What every benchmark needs: pinned processes, a load, the memory and CPU of a process tree, and a
 * line that prints a figure beside its limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..');

export type LoadResult = {
  requests: number;
  seconds: number;
  statuses: Record<string, number>;
  p50: number;
  p99: number;
  max: number;
};

/** Starts Node on one core (`core`), or on all (`undefined`), and ends it with us. */
export function startNode(args: string[], env: Record<string, string>, core?: number) {
  const pin = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [command = process.execPath, ...rest] = [...pin, process.execPath, ...args];
  return spawn(command, rest, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no output');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  child.stdout.resume();
  return line;
}

export async function load(job: {
  port: number;
  path: string;
  headers?: Record<string, string>;
  bodies: string[];
  connections: number;
  seconds: number;
  requestsMax?: number;
  core?: number;
}): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-load-'));
  try {
    const file = join(folder, 'job.json');
    const headers = { 'content-type': 'application/json', ...job.headers };
    writeFileSync(file, JSON.stringify({ requestsMax: 3_000_000, ...job, headers }));
    const child = startNode([join(import.meta.dirname, 'load-process.ts'), file], {}, job.core);
    return JSON.parse(await firstLine(child)) as LoadResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every process below `root`, itself included. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

/** Memory of a process tree in MB, shared pages counted once (PSS). */
export function memoryMb(root: number): number {
  let kilobytes = 0;
  for (const pid of processTree(root)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    } catch {
      // It ended, or is not ours to see.
    }
  }
  return kilobytes / 1024;
}

/** CPU seconds that a process tree has used so far. */
export function cpuSeconds(root: number): number {
  let ticks = 0;
  for (const pid of processTree(root)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It ended while we looked.
    }
  }
  return ticks / 100;
}

/** CPU of a process tree over a while, in per cent of one core. */
export async function cpuShare(root: number, seconds: number): Promise<number> {
  const before = cpuSeconds(root);
  await sleep(seconds * 1000);
  return ((cpuSeconds(root) - before) / seconds) * 100;
}

export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).size;
    } catch {
      // A part that was merged away while we counted.
    }
  }
  return bytes;
}

/** One printed figure: what it is, what was measured, what it is held against, their ratio. */
export function figure(
  name: string,
  value: number,
  unit: string,
  against?: { name: string; value: number },
) {
  const round = (n: number) => (n >= 100 ? Math.round(n).toLocaleString('en') : n.toFixed(2));
  const beside = against
    ? `  ${against.name}: ${round(against.value)} ${unit}, ratio ${(value / against.value).toFixed(3)}`
    : '';
  process.stdout.write(
    `${name.padEnd(52)} ${round(value).padStart(11)} ${unit.padEnd(10)}${beside}\n`,
  );
}
