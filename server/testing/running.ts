/**
 * A real server in a process of its own, on scratch directories: what journeys, fault tests and
 * benchmarks drive. It is started as `npm start` starts it, once packages are installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..', '..');
/** A start that takes longer hangs, however busy the machine is. */
const READY_MS_MAX = 180_000;

/** What a development start keeps in `development.json`. */
export type Development = {
  url: string;
  secureUrl: string;
  operatorLink: string;
  operatorToken: string;
  writeKeys: Record<string, string>;
  browserKeys: Record<string, string>;
};

export type RunningServer = Development & {
  child: ChildProcess;
  folder: string;
  dataDir: string;
  keyringDir: string;
  /** Milliseconds from spawn until the server said that it is ready. */
  readyMs: number;
  /** Everything it wrote to its error output, and its log, since the file was begun. */
  log(): string;
  stop(): Promise<void>;
  /** As a crash: no chance to tidy up. */
  kill(): Promise<void>;
};

type Operated = Pick<RunningServer, 'url' | 'operatorToken'>;
type Asked = { method?: string; body?: unknown; headers?: Record<string, string> };

/** Asks as the operator: a GET, or a POST of JSON where there is a body. */
export const asOperator = (
  { url, operatorToken }: Operated,
  path: string,
  { body, method = body === undefined ? 'GET' : 'POST', headers = {} }: Asked = {},
): Promise<Response> =>
  fetch(new URL(path, url), {
    method,
    headers: {
      cookie: `troth_operator=${operatorToken}`,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

export type StartOptions = {
  /** Kept over restarts by whoever passes it; a fresh one is removed at `stop`. */
  folder?: string;
  /** Pins the server and its children to one core. */
  core?: number;
  env?: Record<string, string>;
  args?: string[];
  /** Whom it runs as; only root may choose. */
  user?: { uid: number; gid: number };
  /** What is started in place of the server's own entry. */
  program?: string;
};

export async function startRunning(options: StartOptions = {}): Promise<RunningServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'troth-run-'));
  const dataDir = join(folder, 'data');
  const keyringDir = join(folder, 'keys');
  const pin = options.core === undefined ? [] : ['taskset', '-c', String(options.core)];
  const program = options.program ?? 'server/main.ts';
  const args = [program, 'serve', '--json', ...(options.args ?? [])];
  const [command = process.execPath, ...rest] = [...pin, process.execPath, ...args];
  const startedAt = performance.now();
  const child = spawn(command, rest, {
    cwd: ROOT,
    env: {
      ...process.env,
      TROTH_HTTP_PORT: '0',
      TROTH_HTTPS_PORT: '0',
      TROTH_DATA_DIR: dataDir,
      TROTH_KEYRING_DIR: keyringDir,
      NODE_NO_WARNINGS: '1',
      TROTH_PROVE_EVERY: 'off',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...options.user,
  });
  let written = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    written = (written + text).slice(-2_000_000);
  });
  const exited = once(child, 'exit');
  let readyMs: number;
  let kept: Development;
  try {
    await Promise.race([
      readyLine(child),
      exited.then(() => Promise.reject(new Error(written))),
      wait(READY_MS_MAX, undefined, { ref: false }).then(() =>
        Promise.reject(new Error(`not ready in time: ${written}`)),
      ),
    ]);
    readyMs = performance.now() - startedAt;
    kept = JSON.parse(readFileSync(join(dataDir, 'development.json'), 'utf8')) as Development;
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    if (!options.folder) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const logFile = join(dataDir, 'log', 'troth.jsonl');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    if (!options.folder) rmSync(folder, { recursive: true, force: true });
  };
  return {
    ...kept,
    child,
    folder,
    dataDir,
    keyringDir,
    readyMs,
    log: () => written + (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function readyLine(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{') || !line.includes('"url"')) continue;
    child.stdout.resume();
    return;
  }
  // Its output ended without the line: the server refused, and its exit says why.
  await new Promise(() => undefined);
}
