/** How long a start takes, and what an idle server costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRunning } from '../server/testing/running.ts';
import { cpuShare, figure, memoryMb } from './rig.ts';

export async function benchStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-bench-'));
  try {
    const cold = await startRunning({ folder });
    figure('cold start, engines made, to ready', cold.readyMs, 'ms', {
      name: 'aim',
      value: 15_000,
    });
    await cold.stop();
    const warm = await startRunning({ folder });
    figure('warm start to ready', warm.readyMs, 'ms', { name: 'aim', value: 4_000 });
    await sleep(20_000);
    const pid = warm.child.pid ?? 0;
    figure('idle memory of all processes (PSS)', memoryMb(pid), 'MB', { name: 'aim', value: 450 });
    figure('idle CPU of all processes', await cpuShare(pid, 20), '% of core', {
      name: 'aim',
      value: 2,
    });
    await warm.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
