/**
 * Children that outlived the server which started them, where no rope held: found by the words they
 * were started with.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { childEnvironment } from './death-rope.ts';

const ASKED_MS = 5_000;
const GONE_MS = 5_000;

/** Process ids with what they were started with: by word on Linux, in one piece elsewhere. */
function* processes(): Generator<{ pid: number; has: (word: string) => boolean }> {
  if (existsSync('/proc/self/cmdline')) {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const words = new Set(readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0'));
        yield { pid: Number(name), has: (word) => words.has(word) };
      } catch {
        // It ended while we looked.
      }
    }
    return;
  }
  const seen = spawnSync('ps', ['-axo', 'pid=,command='], { env: childEnvironment() });
  for (const line of String(seen.stdout).split('\n')) {
    yield { pid: Number.parseInt(line, 10), has: (word) => line.includes(word) };
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** A process that nobody has waited for yet is as good as gone: it holds no file and no port. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end; await wait(10)) {
    if (!signal(pid, 0) || isZombie(pid)) return true;
  }
  return false;
}

/**
 * Stops every process that was started with all of `words`. Called only while we own what they
 * name, so whatever still runs there belongs to nobody.
 */
export async function stopOrphans(
  words: readonly string[],
  { child, log }: { child: Word; log: Log },
): Promise<void> {
  for (const { pid, has } of processes()) {
    if (!(pid > 0) || pid === process.pid || !words.every(has)) continue;
    signal(pid, 'SIGTERM');
    if (!(await gone(pid, ASKED_MS))) {
      signal(pid, 'SIGKILL');
      await gone(pid, GONE_MS);
    }
    log('orphan.stopped', { child, pid });
  }
}
