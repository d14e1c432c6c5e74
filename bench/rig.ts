/**
 * What every benchmark needs: pinned processes, a load, and a line that prints a figure beside its
 * limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ByPart } from './processes.ts';

const ROOT = join(import.meta.dirname, '..');

/** Starts Node on one core (`core`), or on all (`undefined`), and ends it with us. */
export function startNode(args: string[], core?: number) {
  const pin = core === undefined ? [] : ['taskset', '-c', String(core)];
  const [command = process.execPath, ...rest] = [...pin, process.execPath, ...args];
  const env = { ...process.env, NODE_NO_WARNINGS: '1' };
  return spawn(command, rest, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no output');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the child ended')));
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  child.stdout.resume();
  return line;
}

/** Lets a script of this folder work through a job; it prints its result as one line of JSON. */
export async function runScript<Result>(script: string, job: object, core?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-job-'));
  try {
    const file = join(folder, 'job.json');
    writeFileSync(file, JSON.stringify(job));
    return JSON.parse(await firstLine(startNode([`bench/${script}`, file], core))) as Result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export type LoadJob = {
  port: number;
  /** Sent in turn, over and over. */
  requests: readonly { path: string; authorization: string; body: string }[];
  connections: number;
  seconds: number;
  /** Requests are sent at this pace; without it, each as soon as the one before is answered. */
  requestsPerSecond?: number;
  core?: number | undefined;
};

export type LoadResult = {
  requests: number;
  seconds: number;
  statuses: Record<string, number>;
  /** Milliseconds; at a pace, from when a request was due. */
  p50: number;
  p99: number;
  max: number;
};

export const load = ({ core, ...job }: LoadJob) =>
  runScript<LoadResult>('load-process.ts', job, core);

export const perSecond = ({ requests, seconds }: LoadResult) => requests / seconds;

const rounded = (n: number) =>
  n >= 100 ? Math.round(n).toLocaleString('en') : n.toFixed(n < 1 ? 3 : 1);

export type Figure = {
  name: string;
  value: number;
  unit: string;
  /** A limit or a peer, measured in the same unit. */
  beside?: { name: string; value: number } | undefined;
  /** What it should reach, or with `atMost` stay under. */
  aim?: { value: number; atMost?: boolean } | undefined;
};

/** One printed figure: what it is, what was measured, what it is held against, their ratio. */
export function figure({ name, value, unit, beside, aim }: Figure): void {
  const met = aim && (aim.atMost ? value <= aim.value : value >= aim.value);
  const parts = [
    name.padEnd(52),
    `${rounded(value).padStart(10)} ${unit.padEnd(9)}`,
    beside && `${beside.name} ${rounded(beside.value)}, ratio ${(value / beside.value).toFixed(3)}`,
    aim && `aim ${aim.atMost ? '≤' : '≥'} ${rounded(aim.value)}: ${met ? 'met' : 'NOT met'}`,
  ];
  process.stdout.write(
    `${parts
      .filter((part) => part)
      .join('  ')
      .trimEnd()}\n`,
  );
}

/** The same, for something that every part has a share of. */
export function shares(name: string, unit: string, parts: ByPart): void {
  const named = Object.entries(parts).filter(([, value]) => value >= 0.05);
  const each = named.sort(([, a], [, b]) => b - a).map(([part, n]) => `${part} ${rounded(n)}`);
  const sum = named.reduce((all, [, value]) => all + value, 0);
  process.stdout.write(
    `${`  ${name}`.padEnd(52)}  ${rounded(sum).padStart(10)} ${unit.padEnd(9)}  ${each.join(', ')}\n`,
  );
}
