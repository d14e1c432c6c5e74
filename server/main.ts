/**
 * The only file that reads the environment and ends the process. `serve` runs the services; every
 * other word is a command of the command line.
 */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { text as wholeOf } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Problem } from '#base/problem';
import { readConfig } from './config.ts';
import { runCommand } from './edges/cli/index.ts';

const ROOT = join(import.meta.dirname, '..');
const LOG_BYTES_MAX = 16 * 1024 * 1024;

/**
 * A Problem or an Error that was written for people ends in its sentence; a bug ends in its stack.
 */
function sentenceOf(error: unknown): string {
  if (error instanceof Problem) return `${error.title}: ${error.detail}`;
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    const port = 'port' in error ? String(error.port) : 'of the server';
    return `port ${port} is taken. Name another with TROTH_HTTP_PORT or TROTH_HTTPS_PORT.`;
  }
  return error.message.startsWith('configuration:')
    ? error.message
    : (error.stack ?? error.message);
}

/**
 * Lines go to a file, two of at most 16 MB, so that the terminal shows only what a person needs.
 */
function openLogFile(folder: string): (line: string) => void {
  const file = join(folder, 'troth.jsonl');
  let bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const append = (line: string) => {
    if (bytes === 0) mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (bytes > LOG_BYTES_MAX) {
      renameSync(file, `${file}.1`);
      bytes = 0;
    }
    appendFileSync(file, line, { mode: 0o600 });
    bytes += line.length;
  };
  return (line) => {
    try {
      append(line);
    } catch {
      // The disk is full: a line that has no place in the file must not end what it tells of.
      process.stderr.write(line);
    }
  };
}

async function askTerminal(question: string, otherwise: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(`${question}${otherwise ? ` [${otherwise}]` : ''}: `);
  } finally {
    terminal.close();
  }
}

/**
 * Compiling the policies leaves some 70 MB behind that V8 keeps for as long as nothing happens: it
 * is given back once, when the server stands.
 */
function giveBackMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how: object) => Promise<void>;
  void collect({ type: 'major', execution: 'async', flavor: 'last-resort' });
}

async function main(argv: string[]): Promise<number> {
  // Whatever we or a child of ours makes is for its owner alone, logs and sockets included.
  process.umask(0o077);
  const config = readConfig(process.env, ROOT);
  const [command, ...rest] = argv;
  // A text is read once: by the time its code were optimised, all is said.
  if (command === 'lint') setFlagsFromString('--no-opt');
  if (command !== 'serve') {
    return runCommand(argv, {
      root: ROOT,
      dataDir: config.dataDir,
      keyring: {
        dir: config.keyringDir,
        copyDir: config.keyringCopyDir,
        passphraseFile: config.keyringPassphraseFile,
      },
      policiesDir: config.policiesDir,
      today: new Date().toISOString().slice(0, 10),
      ask: process.stdin.isTTY ? askTerminal : undefined,
      readInput: () => wholeOf(process.stdin),
      print: (text) => console.log(text),
      complain: (text) => console.error(text),
      colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
    });
  }
  // Loaded here: a command needs none of it, and would wait half a second for it.
  const { serve } = await import('./serve.ts');
  const asJson = rest.includes('--json');
  const policiesAt = rest.indexOf('--policies');
  const running = await serve({
    config,
    root: ROOT,
    policiesDir: (policiesAt >= 0 && rest[policiesAt + 1]) || config.policiesDir,
    writeLog: openLogFile(join(config.dataDir, 'log')),
    progress: (text) => {
      if (!asJson) console.log(text);
    },
    complain: (text) => console.error(`troth: ${text}`),
  });
  console.log(asJson ? JSON.stringify(running.development) : running.greeting);
  giveBackMemory();
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
    // Whoever started us is gone: nobody could stop us any more.
    process.once('disconnect', resolve);
  });
  await running.close();
  return 0;
}

/** The same as a document, for whoever reads standard output with `--json`. @see RFC 9457 */
function documentOf(error: unknown): object {
  if (error instanceof Problem) return error.toJSON();
  const known = { type: 'about:blank', status: 500, title: 'The server could not be started' };
  const sentence = sentenceOf(error);
  // A stack is for people; a document holds sentences that were written for one.
  return /\n\s+at /.test(sentence) ? known : { ...known, detail: sentence };
}

/** Ends when all that was said has arrived, or nobody listens: a pipe takes 64 KiB at a time. */
function end(code: number): void {
  process.stdout.once('error', () => process.exit(code));
  process.stdout.write('', () => process.exit(code));
}

const argv = process.argv.slice(2);
main(argv).then(end, (error: unknown) => {
  console.error(`troth: ${sentenceOf(error)}`);
  if (argv.includes('--json')) console.log(JSON.stringify(documentOf(error)));
  end(1);
});
