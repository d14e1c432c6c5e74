/**
 * What fault tests share: a load that remembers each acknowledgement, the processes of a server by
 * their part, and a look at the stored rows that shares no code with what stored them.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEvents, startClickHouse } from '#platform/events';
import { silentLog } from '#platform/log';
import { shortDirectory } from '#platform/runtime';
import { type RunningServer, type StartOptions, startRunning } from './running.ts';

export type Part = 'postgres' | 'clickhouse' | 'keeper';

/** A word of the first arguments; never a folder's name, which may be anything. */
const PROGRAMS: Readonly<Record<Part, RegExp>> = {
  postgres: /\/programs\/bin\/postgres$/,
  clickhouse: /\/platform\/events\/process\.ts$/,
  keeper: /\/platform\/keeper\/process\.ts$/,
};

const BATCH_ROWS = 10;

type Process = { pid: number; parent: number; words: string[] };

function processes(): Process[] {
  const seen: Process[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '');
      seen.push({ pid: Number(name), parent: Number(stat.split(' ')[1]), words });
    } catch {
      // It ended while we looked.
    }
  }
  return seen;
}

/** The process of a part of this server, and of no other; undefined between a death and a start. */
export function partOf(server: RunningServer, part: Part): number | undefined {
  return processes().find(
    ({ parent, words }) =>
      parent === server.child.pid && words.slice(0, 5).some((word) => PROGRAMS[part].test(word)),
  )?.pid;
}

/** A process and what it started: the backends of PostgreSQL beside their postmaster. */
export function withChildren(pid: number): number[] {
  const children = processes().filter(({ parent }) => parent === pid);
  return [pid, ...children.map((child) => child.pid)];
}

export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It is gone already.
    }
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    // A zombie is nobody's burden: it holds no file and no port.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

/** @throws AssertionError when it does not come true in time. */
export async function until(
  says: string,
  withinMs: number,
  done: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(50)) {
    if (await done()) return;
  }
  assert.ok(await done(), `not within ${withinMs} ms: ${says}`);
}

/** Processes that were told of this folder: engines and keeper of a server that should be gone. */
export const leftIn = (folder: string): number[] =>
  processes().flatMap(({ pid, words }) =>
    words.some((word) => word.includes(`${folder}/`)) ? [pid] : [],
  );

/** A start that must be refused. @returns what it wrote to its error output. */
export async function refusalOf(options: StartOptions): Promise<string> {
  let server: RunningServer;
  try {
    server = await startRunning(options);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  await server.stop();
  throw new assert.AssertionError({ message: 'the start was not refused' });
}

/** Events with rising numbers to the service clanker, and which of them were acknowledged. */
export class FaultLoad {
  readonly acknowledged = new Set<number>();
  /** How often each answer came; 0 counts connections that were cut. */
  readonly answers = new Map<number, number>();
  server: RunningServer;
  #sent = 0;
  readonly #filler: string;

  /** @param fillerBytes  adds that much, which is sealed, to each event. */
  constructor(server: RunningServer, fillerBytes = 0) {
    this.server = server;
    this.#filler = 'f'.repeat(fillerBytes);
  }

  get sent(): number {
    return this.#sent;
  }

  /** A batch of ten with the numbers that come next. */
  batch(): { numbers: number[]; body: string } {
    const numbers = Array.from({ length: BATCH_ROWS }, () => {
      this.#sent += 1;
      return this.#sent;
    });
    const events = numbers.map((sequence) => ({
      type: 'track',
      messageId: `fault-${sequence}`,
      userId: `operator-${sequence % 25}`,
      event: 'agent_command',
      properties: {
        tool: 'shell',
        sequence,
        outcome: 'done',
        arguments: { sequence, filler: this.#filler },
      },
    }));
    return { numbers, body: JSON.stringify({ batch: events }) };
  }

  /** Sends once. @returns the status, or 0 when the connection was cut. */
  async send({ numbers, body }: { numbers: number[]; body: string }): Promise<number> {
    const status = await this.#post(body);
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    if (status === 200) for (const number of numbers) this.acknowledged.add(number);
    else assert.ok(status === 0 || status === 503, `an answer of ${status}`);
    return status;
  }

  async #post(body: string): Promise<number> {
    const { url, writeKeys } = this.server;
    try {
      const answer = await fetch(new URL('/v1/t/clanker/batch', url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${writeKeys['clanker']}`,
          'content-type': 'application/json',
        },
        body,
        signal: AbortSignal.timeout(30_000),
      });
      const said = (await answer.json()) as { accepted?: number };
      if (answer.status === 200) assert.equal(said.accepted, BATCH_ROWS);
      if (answer.status === 503) assert.ok(answer.headers.get('retry-after'), 'it says when');
      return answer.status;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return 0;
    }
  }

  /** As a good client: the same batch again until it is acknowledged. */
  async deliver(withinMs = 20_000): Promise<void> {
    const batch = this.batch();
    const deadline = Date.now() + withinMs;
    while ((await this.send(batch)) !== 200) {
      assert.ok(Date.now() < deadline, `not acknowledged within ${withinMs} ms`);
      await sleep(50);
    }
  }

  /**
   * Waits until nothing waits in the inbox, stops the server, and reads the rows from its files
   * with an engine of our own: each number that was acknowledged is there, and none is there twice.
   */
  async settle(withinMs = 30_000): Promise<void> {
    await this.settleWith(() => false, withinMs);
  }

  /** The same beside events of others, whose numbers are returned. @param isOther  tells them. */
  async settleWith(isOther: (number: number) => boolean, withinMs = 30_000): Promise<number[]> {
    await until('the inbox is empty', withinMs, () => this.#isInboxEmpty());
    await this.server.stop();
    const all = await storedNumbers(this.server.dataDir);
    const stored = all.filter((number) => !isOther(number));
    const once = new Set(stored);
    const lost = [...this.acknowledged].filter((number) => !once.has(number));
    assert.deepEqual(lost, [], 'acknowledged and not there');
    assert.equal(stored.length, once.size, 'something is there twice');
    assert.ok([...once].every((number) => number <= this.#sent));
    return all.filter(isOther);
  }

  async #isInboxEmpty(): Promise<boolean> {
    const first = await this.#waiting();
    // The number is as old as a second; and what is being moved counts until it is stored.
    await sleep(1_100);
    return first === 0 && (await this.#waiting()) === 0;
  }

  async #waiting(): Promise<number | undefined> {
    const { url, operatorToken } = this.server;
    try {
      const answer = await fetch(new URL('/v1/t/clanker/pipeline', url), {
        headers: { cookie: `troth_operator=${operatorToken}` },
        signal: AbortSignal.timeout(5_000),
      });
      return ((await answer.json()) as { inbox?: { rows: number } }).inbox?.rows;
    } catch {
      return undefined;
    }
  }
}

/** Every number that the files of a stopped server hold, as often as they hold it. */
async function storedNumbers(dataDir: string): Promise<number[]> {
  const runtimeDir = shortDirectory(`${dataDir}-look`);
  const engine = await startClickHouse({ dataDir, runtimeDir, log: silentLog });
  const events = openEvents(engine.url);
  try {
    const rows = await events.query<{ sequence: number }>(
      'select toFloat64(f_sequence) as sequence from tenant_clanker.agent_commands',
    );
    return rows.map(({ sequence }) => sequence);
  } finally {
    await events.close();
    await engine.stop();
  }
}

type SmallDisk = { path: string; unmount(): void };

/** A disk of a few megabytes in memory; undefined where this user may not mount one. */
export function mountSmallDisk(path: string, megabytes: number): SmallDisk | undefined {
  mkdirSync(path, { recursive: true });
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  if (made.status !== 0) return undefined;
  return { path, unmount: () => void spawnSync('umount', ['-l', path]) };
}
