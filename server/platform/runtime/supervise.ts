import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { childEnvironment, deathRope } from './death-rope.ts';
import { runtimeProblem } from './errors.ts';

const READY_POLL_MS = 20;
const BACK_OFF_MS_MIN = 50;
/** An engine that is killed again and again is back within seconds each time. */
const BACK_OFF_MS_MAX = 1_000;
const STABLE_AFTER_MS = 30_000;
const HEALTH_EVERY_MS = 3_000;
const HEALTH_FAILURES_MAX = 2;
/** A child that hangs in its start has nothing to tidy up. */
const HUNG_STOP_MS = 1_000;
const KILLED_MS = 5_000;
const PATIENCE_MS_MAX = 10 * 60_000;
const READY_MS = 15_000;
const LOG_BYTES_MAX = 8 * 1024 * 1024;

export type Supervision = {
  readonly name: Word;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** The user the child runs as; only root may choose. */
  readonly uid?: number;
  readonly gid?: number;
  /** Where the child's own output goes; cut when it grows over 8 MB between starts. */
  readonly logFile?: string;
  /** Descriptors the child gets as 3, 4 …; opened anew for each start. */
  readonly descriptors?: () => number[];
  /** Runs before each start, the first and every other: removes what a dead child left. */
  readonly prepare?: () => Promise<void> | void;
  /** One look whether the child serves; throws while it does not. Tried again every 20 ms. */
  readonly ready: (pid: number) => Promise<void>;
  /** Default 15,000. Within this time a child that did not become ready is started again. */
  readonly readyWithinMs?: number;
  /**
   * A child that runs for this long and does not serve hangs: it is ended and started again. Each
   * further attempt gets twice the time, so that one which is only slow comes to its end.
   * Default: `readyWithinMs`.
   */
  readonly hangsAfterMs?: number;
  /** How the child is asked to end. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** For a child that ends on something else than a signal. */
  readonly askToStop?: () => void;
  readonly stopWithinMs?: number;
  /** How it is made to end. Default: SIGKILL. */
  readonly killSignal?: NodeJS.Signals;
  readonly restart?: boolean;
  /** Asked every 3 s; a child that fails it twice in a row is made to end, and so starts again. */
  readonly healthy?: () => Promise<void>;
  /** Called after each later start, when the child serves again. */
  readonly onRestart?: () => void;
  readonly log: Log;
};

export type Supervised = {
  /** The process id now, or 0 between a death and the next start. */
  readonly pid: number;
  readonly restarts: number;
  /** Resolves when the child serves, also after a death. */
  whenReady(): Promise<void>;
  stop(): Promise<void>;
};

type Running = {
  child: ChildProcess;
  gone: Promise<void>;
  alive: () => boolean;
  letGo: () => void;
};

function openLogFile(file: string | undefined): number | 'ignore' {
  if (!file) return 'ignore';
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) truncateSync(file, 0);
  return openSync(file, 'a', 0o600);
}

function launch(given: Supervision): Running {
  const output = openLogFile(given.logFile);
  const descriptors = given.descriptors?.() ?? [];
  const signal = (given.stopSignal ?? 'SIGTERM').slice(3);
  const rope = deathRope(given.command, given.args, signal);
  const child = spawn(rope.command, rope.args, {
    cwd: given.cwd ?? '/',
    env: given.env ?? childEnvironment(),
    stdio: ['ignore', output, output, ...descriptors],
    // A group of its own: Ctrl-C reaches the server only, which stops its children in order.
    detached: true,
    ...(given.uid === undefined ? {} : { uid: given.uid }),
    ...(given.gid === undefined ? {} : { gid: given.gid }),
  });
  for (const fd of [output, ...descriptors]) if (typeof fd === 'number') closeSync(fd);
  let alive = true;
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      alive = false;
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  const letGo = child.pid ? rope.tie(child) : () => undefined;
  void gone.then(letGo);
  return { child, gone, alive: () => alive, letGo };
}

async function isReady(given: Supervision, running: Running, deadline: number): Promise<boolean> {
  while (running.alive() && Date.now() < deadline) {
    try {
      await Promise.race([
        given.ready(running.child.pid ?? 0),
        running.gone.then(() => Promise.reject(new Error('gone'))),
      ]);
      return running.alive();
    } catch {
      await wait(READY_POLL_MS);
    }
  }
  return false;
}

async function isGone({ gone }: Running, withinMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = wait(withinMs, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([gone.then(() => true), late]);
  timer.abort();
  return first;
}

async function end(
  given: Supervision,
  running: Running,
  within = given.stopWithinMs ?? 10_000,
): Promise<void> {
  if (!running.alive()) return;
  const { child } = running;
  const { stopSignal = 'SIGTERM', killSignal = 'SIGKILL' } = given;
  if (given.askToStop) given.askToStop();
  else child.kill(stopSignal);
  if (await isGone(running, within)) return;
  child.kill(killSignal);
  if (await isGone(running, KILLED_MS)) return;
  // One that is stopped, or deaf to what should end it, hears this.
  child.kill('SIGKILL');
  await running.gone;
}

/** Watches one run of a child; ends with it. */
async function watchHealth(given: Supervision, running: Running): Promise<void> {
  let failures = 0;
  const { healthy } = given;
  while (healthy && running.alive()) {
    // Not a reason to stay: a server that ends does not wait for the next look.
    await wait(HEALTH_EVERY_MS, undefined, { ref: false });
    if (!running.alive()) return;
    failures = await healthy().then(
      () => 0,
      () => failures + 1,
    );
    if (failures >= HEALTH_FAILURES_MAX) running.child.kill(given.killSignal ?? 'SIGKILL');
  }
}

/**
 * Starts a child and keeps it running.
 *
 * @throws Problem child-did-not-start when it does not serve within `readyWithinMs`; nothing of it
 *         is left running then.
 */
export async function supervise(given: Supervision): Promise<Supervised> {
  const supervisor = new Supervisor(given);
  await supervisor.begin();
  return supervisor;
}

class Supervisor implements Supervised {
  readonly #given: Supervision;
  #stopping = false;
  #restarts = 0;
  #running: Running | undefined;
  #serving: Promise<void> = Promise.resolve();
  #kept: Promise<void> = Promise.resolve();
  /** How long the next start may take, since the last one that served. */
  #patienceMs: number;

  constructor(given: Supervision) {
    this.#given = given;
    this.#patienceMs = this.#firstPatienceMs();
  }

  get pid(): number {
    return this.#running?.alive() ? (this.#running.child.pid ?? 0) : 0;
  }

  get restarts(): number {
    return this.#restarts;
  }

  whenReady(): Promise<void> {
    return this.#serving;
  }

  async begin(): Promise<void> {
    const first = await this.#start(Date.now() + (this.#given.readyWithinMs ?? READY_MS));
    this.#kept = this.#keep(first);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const last = this.#running;
    if (last) await end(this.#given, last);
    await this.#kept;
    // A start that was under way when we were told to stop leaves a newer child.
    if (this.#running && this.#running !== last) await end(this.#given, this.#running);
    this.#given.log('child.stopped', { child: this.#given.name, pid: last?.child.pid ?? 0 });
  }

  #firstPatienceMs(): number {
    const { hangsAfterMs, readyWithinMs = READY_MS } = this.#given;
    return hangsAfterMs ?? readyWithinMs;
  }

  /** @param deadline  when to give up; what is begun before it may take its time. */
  async #start(deadline = Number.POSITIVE_INFINITY): Promise<Running> {
    const { log, name } = this.#given;
    const began = Date.now();
    let backOff = BACK_OFF_MS_MIN;
    for (let attempt = 1; Date.now() < deadline && !this.#stopping; attempt++) {
      await this.#given.prepare?.();
      if (this.#stopping) break;
      const started = launch(this.#given);
      this.#running = started;
      if (await isReady(this.#given, started, Date.now() + this.#patienceMs)) {
        const pid = started.child.pid ?? 0;
        this.#patienceMs = this.#firstPatienceMs();
        log('child.started', { child: name, pid, durationMs: Date.now() - began });
        return started;
      }
      if (this.#stopping) break;
      log('child.refused', { child: name, attempt });
      if (started.alive()) this.#patienceMs = Math.min(this.#patienceMs * 2, PATIENCE_MS_MAX);
      await end(this.#given, started, HUNG_STOP_MS);
      await wait(backOff);
      backOff = Math.min(backOff * 2, 1_000);
    }
    throw runtimeProblem('child-did-not-start', `${name} did not serve in time`);
  }

  async #keep(first: Running): Promise<void> {
    const { log, name } = this.#given;
    let current = first;
    let backOff = BACK_OFF_MS_MIN;
    for (;;) {
      const since = Date.now();
      void watchHealth(this.#given, current);
      await current.gone;
      if (this.#stopping || this.#given.restart === false) return;
      this.#restarts++;
      log('child.died', { child: name, pid: current.child.pid ?? 0, restarts: this.#restarts });
      backOff = Date.now() - since > STABLE_AFTER_MS ? BACK_OFF_MS_MIN : backOff;
      const again = this.#startAgain(backOff);
      this.#serving = again.then(() => undefined);
      this.#serving.catch(() => undefined);
      const next = await again.catch(() => undefined);
      if (!next) return;
      backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX);
      current = next;
      this.#given.onRestart?.();
    }
  }

  /** Goes on for as long as it takes: an engine that is down refuses writes, it loses none. */
  async #startAgain(firstBackOff: number): Promise<Running> {
    let backOff = firstBackOff;
    while (!this.#stopping) {
      await wait(backOff);
      const started = await this.#start().catch(() => undefined);
      if (started) return started;
      backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX);
    }
    throw runtimeProblem('child-did-not-start', `${this.#given.name} is stopping`);
  }
}
