/**
 * What an earlier server may have left of PostgreSQL: a postmaster that outlived it, a lock file
 * whose process id now belongs to another program, an empty lock file.
 *
 * Called only while we own the data directory, so whatever still runs here belongs to nobody.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { childEnvironment } from '#platform/runtime';

const FAST_STOP_MS = 5_000;
/** A backend notices the death of its postmaster when its statement ends. */
const LEFTOVERS_MS = 3_000;
const POSTGRES = Word('postgres');

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether `pid` is a PostgreSQL process that works in this very directory. */
function worksIn(pid: number, directory: string): boolean {
  if (existsSync('/proc/self/exe')) {
    try {
      const program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
      return program === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory);
    } catch {
      return false;
    }
  }
  const seen = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { env: childEnvironment() });
  return /postgres/.test(String(seen.stdout)) && String(seen.stdout).includes(directory);
}

function leftovers(directory: string): number[] {
  if (!existsSync('/proc/self/exe')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, directory));
}

async function until(done: () => boolean, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await wait(10)) {
    if (done()) return true;
  }
  return done();
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

async function stopPostmaster(pid: number): Promise<void> {
  process.kill(pid, 'SIGINT');
  if (await until(() => !isAlive(pid), FAST_STOP_MS)) return;
  process.kill(pid, 'SIGQUIT');
  if (!(await until(() => !isAlive(pid), FAST_STOP_MS))) kill(pid);
}

/**
 * Backends whose postmaster is dead hold its shared memory, and no other starts beside them. One
 * that does not end by itself is made to: nobody can hear its answer any more, and what it had not
 * written the log brings back.
 */
async function endLeftovers(directory: string, log: Log): Promise<void> {
  if (await until(() => leftovers(directory).length === 0, LEFTOVERS_MS)) return;
  for (const pid of leftovers(directory)) {
    kill(pid);
    log('orphan.stopped', { child: POSTGRES, pid });
  }
  await until(() => leftovers(directory).length === 0, LEFTOVERS_MS);
}

/** Makes the directory startable. A lock file of a dead postmaster stays: PostgreSQL judges it. */
export async function clearOrphan(directory: string, log: Log): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  if (existsSync(file)) {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    if (pid > 0 && worksIn(pid, directory)) {
      await stopPostmaster(pid);
      log('orphan.stopped', { child: POSTGRES, pid });
    } else if (!(pid > 0) || isAlive(pid)) {
      // Shared memory is free before the file may go.
      await endLeftovers(directory, log);
      rmSync(file, { force: true });
      log('stale-lock.removed', { child: POSTGRES });
    }
  }
  await endLeftovers(directory, log);
}
