/** How long a start takes, and what an idle server costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRunning } from '../server/testing/running.ts';
import { cpuShare, memoryMb, total } from './processes.ts';
import { figure, shares } from './rig.ts';

const SETTLE_MS = 20_000;

export async function benchStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-'));
  try {
    const cold = await startRunning({ folder });
    figure({
      name: 'cold start, engines made, to ready',
      value: cold.readyMs,
      unit: 'ms',
      aim: { value: 15_000, atMost: true },
    });
    await cold.stop();
    const warm = await startRunning({ folder });
    figure({
      name: 'warm start to ready',
      value: warm.readyMs,
      unit: 'ms',
      aim: { value: 4_000, atMost: true },
    });
    await sleep(SETTLE_MS);
    const roots = [warm.child.pid ?? 0];
    const parts = memoryMb(roots);
    const aim = { value: 450, atMost: true };
    figure({ name: 'idle memory of all processes (PSS)', value: total(parts), unit: 'MB', aim });
    shares('of that', 'MB', parts);
    figure({
      name: 'idle CPU of all processes',
      value: await cpuShare(roots, 30),
      unit: '% of core',
      aim: { value: 2, atMost: true },
    });
    await warm.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
