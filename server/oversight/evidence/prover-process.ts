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
import { nodeEnvironment } from '#platform/runtime';
import { endRound } from './canary-forgetting.ts';
import { openGround } from './ground.ts';
import { type Outlook, type Wanted, writeLine } from './outlook.ts';
import { type Finding, notLooked, prove, type Unit, unitsOf } from './prover.ts';

type Order = { readonly outlook: Outlook; readonly wanted: Wanted };

const ROUND_MS_MAX = 15 * 60_000;
const SILENCE_MS = 90_000;
/** Proving may wait; what it proves may not. */
const NICE = 10;

/** The whole of the child's life. @param proofs  all that there are. */
export async function runProver(proofs: readonly Proof[]): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const [line] = (await once(lines, 'line')) as [string];
  // The server holds the other end: it is gone, and nobody waits for a finding.
  lines.once('close', () => process.exit(1));
  const { outlook, wanted } = JSON.parse(line) as Order;
  const ground = await openGround(outlook);
  try {
    // A service without keys is not looked at: whoever started this says why.
    const services = ground.services.filter(({ tenant }) => outlook.writeKeys[tenant]);
    const units = unitsOf(services, proofs, wanted);
    for await (const finding of prove(ground, units)) writeLine(process.stdout, finding);
    await endRound(ground);
  } finally {
    await ground.close();
  }
}

export type ProverStart = {
  /** The file that calls `runProver`. */
  readonly program: string;
  readonly order: Order;
  /** What there is to prove: whatever of it the prover does not come to is a gap. */
  readonly units: readonly Unit[];
  /** Without a finding for so long, the prover is taken for stuck. Default: 90 seconds. */
  readonly silenceMs?: number;
  /** Ends it at once, without a word on what it did not come to. */
  readonly ending?: AbortSignal | undefined;
};

/**
 * Starts a prover and hands out its findings. It is ended when the caller stops asking, when it
 * falls silent, and after fifteen minutes; what it had not looked at by then is found to be a gap.
 */
export async function* proveInProcess(start: ProverStart): AsyncGenerator<Finding> {
  if (start.ending?.aborted) return;
  const missing = new Map(start.units.map((unit) => [nameOf(unit.service.tenant, unit), unit]));
  const child = spawn(process.execPath, [start.program], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: nodeEnvironment({ NODE_NO_WARNINGS: '1' }),
  });
  const end = () => child.kill('SIGKILL');
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const whole = setTimeout(end, ROUND_MS_MAX);
  const silence = setTimeout(end, start.silenceMs ?? SILENCE_MS);
  start.ending?.addEventListener('abort', end);
  try {
    if (child.pid !== undefined) lowerPriority(child.pid);
    child.stdin.on('error', () => undefined); // It died before it had read: its exit says so.
    // Over the pipe and not as arguments, which every user of the machine could read.
    writeLine(child.stdin, start.order);
    for await (const line of createInterface({ input: child.stdout })) {
      const finding = findingIn(line);
      if (!finding) continue;
      silence.refresh();
      missing.delete(nameOf(finding.tenant, finding));
      yield finding;
    }
    const [code] = await ended;
    if (start.ending?.aborted) return;
    // It said everything, and failed at what it does last.
    if (code !== 0 && missing.size === 0) throw new Error('canaries were not removed');
  } finally {
    clearTimeout(whole);
    clearTimeout(silence);
    start.ending?.removeEventListener('abort', end);
    end();
  }
  for (const unit of missing.values()) yield notLooked(unit);
}

const nameOf = (tenant: string, { promises }: Pick<Unit, 'promises'>) =>
  `${tenant} ${promises.join(' ')}`;

/** A line that was torn when the prover died is no finding. */
function findingIn(line: string): Finding | undefined {
  try {
    return JSON.parse(line) as Finding;
  } catch {
    return undefined;
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It ended already, or the system does not allow it: only its share of a core changes.
  }
}
