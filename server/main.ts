/**
 * The only file that reads the environment and ends the process. `serve` runs the services; every
 * other word is a command of the command line.
 */
import { join } from 'node:path';
import { Problem } from '#base/problem';
import { readConfig } from './config.ts';
import { runCommand } from './edges/cli/index.ts';
import { serve } from './serve.ts';

const ROOT = join(import.meta.dirname, '..');

/** A Problem or an Error that was written for people ends in its sentence; a bug ends in its stack. */
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

async function main(argv: string[]): Promise<number> {
  const config = readConfig(process.env, ROOT);
  const [command, ...rest] = argv;
  if (command !== 'serve') {
    return runCommand(argv, {
      root: ROOT,
      dataDir: config.dataDir,
      print: (text) => console.log(text),
      complain: (text) => console.error(text),
      colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
    });
  }
  const asJson = rest.includes('--json');
  const policiesAt = rest.indexOf('--policies');
  const running = await serve({
    config,
    root: ROOT,
    policiesDir: (policiesAt >= 0 && rest[policiesAt + 1]) || join(ROOT, 'policies'),
    writeLog: (line) => process.stderr.write(line),
    progress: (text) => {
      if (!asJson) console.log(text);
    },
  });
  console.log(asJson ? JSON.stringify(running.development) : running.greeting);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
    // Whoever started us is gone: nobody could stop us any more.
    process.once('disconnect', resolve);
  });
  await running.close();
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(`troth: ${sentenceOf(error)}`);
    process.exit(1);
  },
);
