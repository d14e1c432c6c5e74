/**
 * The prover runs in a process of its own: a proof that spins or crashes takes nothing along, and
 * none of the server's memory is at hand to be believed instead of what is stored.
 *
 * It reads one line, what to look at and where, and writes one line a finding.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Proof } from '#core/promises';
import { framesOf } from '#platform/log';
import { removeCanaries } from './canary-store.ts';
import { openGround } from './ground.ts';
import { type Outlook, type Wanted, writeLine } from './outlook.ts';
import { type Finding, prove, unitsOf } from './prover.ts';

type Order = { readonly outlook: Outlook; readonly wanted: Wanted };

const ROUND_MS_MAX = 15 * 60_000;
/** Proving may wait; what it proves may not. */
const NICE = 10;

/** The whole of the child's life. @param proofs  all that there are. */
export async function runProver(proofs: readonly Proof[]): Promise<void> {
  const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string];
  const { outlook, wanted } = JSON.parse(line) as Order;
  const ground = await openGround(outlook);
  try {
    const units = unitsOf(ground.services, proofs, wanted);
    for await (const finding of prove(ground, units)) writeLine(process.stdout, { finding });
    await removeCanaries(ground);
  } catch (error) {
    // The frames and not the message, which may quote a value.
    writeLine(process.stdout, { frames: framesOf(error) });
    process.exitCode = 1;
  } finally {
    await ground.close();
  }
}

/**
 * Starts a prover and hands out its findings. It is ended when the caller stops asking, and after
 * fifteen minutes.
 *
 * @param program  the file that calls `runProver`.
 * @throws Error when it ended before it had looked at everything.
 */
export async function* proveInProcess(program: string, order: Order): AsyncGenerator<Finding> {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { NODE_NO_WARNINGS: '1' },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const timer = setTimeout(() => child.kill('SIGKILL'), ROUND_MS_MAX);
  try {
    if (child.pid !== undefined) lowerPriority(child.pid);
    // Over the pipe and not as arguments, which every user of the machine could read.
    writeLine(child.stdin, order);
    for await (const line of createInterface({ input: child.stdout })) {
      const { finding, frames } = JSON.parse(line) as { finding?: Finding; frames?: string };
      if (!finding) throw Object.assign(new Error('the prover failed'), { stack: frames });
      yield finding;
    }
    const [code] = await ended;
    if (code !== 0) throw new Error('the prover ended before it had looked at everything');
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It ended already, or the system does not allow it: only its share of a core changes.
  }
}
