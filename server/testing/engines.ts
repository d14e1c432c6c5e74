/**
 * Finds the engines for tests: those that TROTH_TEST_POSTGRES_URL and TROTH_TEST_CLICKHOUSE_URL
 * name, or a pair that all test files of this checkout share.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const START_MS_MAX = 60_000;
const ASK_AGAIN_AFTER_MS = 3_000;

export type TestEngines = {
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  /** Lets go; the engines end a few seconds after the last one did. */
  release(): void;
};

const digest = createHash('sha256').update(`${process.getuid?.() ?? 0}:${import.meta.dirname}`);
const DIRECTORY = join('/tmp', `troth-test-${digest.digest('hex').slice(0, 10)}`);

function ask(): Promise<{ line: string; socket: Socket } | undefined> {
  return new Promise((resolve) => {
    const socket = connect(join(DIRECTORY, 'socket'));
    let said = '';
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.endsWith('\n')) resolve({ line: said, socket });
    });
  });
}

function startHolder(): void {
  const file = join(import.meta.dirname, 'engines-holder.ts');
  // Belongs to no terminal and to no test run.
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  const args = ['--no-warnings', file, DIRECTORY];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore', env }).unref();
}

/** @throws Error when no engine answers within a minute. */
export async function testEngines(): Promise<TestEngines> {
  const postgresUrl = process.env['TROTH_TEST_POSTGRES_URL'];
  const clickhouseUrl = process.env['TROTH_TEST_CLICKHOUSE_URL'];
  if (postgresUrl && clickhouseUrl) return { postgresUrl, clickhouseUrl, release: () => undefined };

  let askedAt = 0;
  for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await wait(50)) {
    const found = await ask();
    if (found) {
      found.socket.unref();
      const given = JSON.parse(found.line) as { postgresUrl: string; clickhouseUrl: string };
      return { ...given, release: () => found.socket.destroy() };
    }
    if (Date.now() - askedAt < ASK_AGAIN_AFTER_MS) continue;
    askedAt = Date.now();
    startHolder();
  }
  throw new Error('no engine for the tests answered within a minute');
}
