/** What the processes below a root use: CPU and memory, each under the name of its part. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Parts as a reader knows them, by what their command line holds; the first that fits. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/bench\//, 'bench'],
  [/keeper\/process/, 'keeper'],
  [/prover/, 'prover'],
  [/events\/process/, 'ClickHouse'],
  [/postgres/, 'PostgreSQL'],
  [/main\.ts/, 'server'],
];

const TICKS_A_SECOND = 100;

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It ended while we looked, or is not ours to see.
    return '';
  }
}

/** The fields after the name of the process: state, parent, … @see proc(5) */
function statOf(pid: number): string[] {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Every process below the roots, themselves included. */
export function processTree(roots: readonly number[]): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = all.map((name) => [Number(name), Number(statOf(Number(name))[1])] as const);
  const tree = [...roots];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

function partOf(pid: number): string {
  const command = readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  return PARTS.find(([pattern]) => pattern.test(command))?.[1] ?? 'other';
}

export type ByPart = Readonly<Record<string, number>>;

function sumByPart(roots: readonly number[], read: (pid: number) => number): ByPart {
  const sums: Record<string, number> = {};
  for (const pid of processTree(roots)) {
    const part = partOf(pid);
    if (part !== 'bench') sums[part] = (sums[part] ?? 0) + read(pid);
  }
  return sums;
}

export const total = (parts: ByPart) => Object.values(parts).reduce((sum, one) => sum + one, 0);

/** CPU seconds that each part has used so far. */
export const cpuSeconds = (roots: readonly number[]): ByPart =>
  sumByPart(roots, (pid) => {
    const [user = 0, system = 0] = statOf(pid).slice(11, 13).map(Number);
    return (user + system) / TICKS_A_SECOND || 0;
  });

/** Memory in MB with shared pages counted once (PSS). */
export const memoryMb = (roots: readonly number[]): ByPart =>
  sumByPart(roots, (pid) => {
    const rollup = readOr(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024;
  });

/** CPU over a while, in per cent of one core. */
export async function cpuShare(roots: readonly number[], seconds: number): Promise<number> {
  const before = total(cpuSeconds(roots));
  await sleep(seconds * 1000);
  return ((total(cpuSeconds(roots)) - before) / seconds) * 100;
}
