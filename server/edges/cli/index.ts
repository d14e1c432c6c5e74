/**
 * The command line: `troth`, a word for what to do, and what to do it with.
 *
 * Quiet on success, one line a step; with `--json` one document on standard output, errors
 * included. Exit codes: 0 done, 1 the answer is no (open findings, a refusal), 2 the command was
 * wrong.
 */
import { parseArgs } from 'node:util';
import { Problem } from '#base/problem';
import { cliProblem } from './errors.ts';
import { type Command, type Invocation, Refused, Usage } from './terminal.ts';

/** Loaded when they are called: what proves a log is no burden of what reads a document. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.ts')).initCommand,
  lint: async () => (await import('./documents.ts')).lintCommand,
  plan: async () => (await import('./apply.ts')).planCommand,
  apply: async () => (await import('./apply.ts')).applyCommand,
  diff: async () => (await import('./documents.ts')).diffCommand,
  render: async () => (await import('./documents.ts')).renderCommand,
  explain: async () => (await import('./documents.ts')).explainCommand,
  key: async () => (await import('./write-key.ts')).writeKeyCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  service: async () => (await import('./removal.ts')).removalCommand,
  operator: async () => (await import('./operator.ts')).operatorCommand,
  erase: async () => (await import('./erase.ts')).eraseCommand,
  erasures: async () => (await import('./erase.ts')).erasuresCommand,
  inbox: async () => (await import('./inbox.ts')).inboxCommand,
  prove: async () => (await import('./prove.ts')).proveCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
};

const OPTIONS = {
  against: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  reason: { type: 'string' },
  tenant: { type: 'string' },
  promise: { type: 'string' },
  shares: { type: 'string' },
  threshold: { type: 'string' },
  service: { type: 'string' },
  name: { type: 'string' },
  email: { type: 'string' },
  age: { type: 'string' },
  days: { type: 'string' },
  template: { type: 'string' },
  'remove-samples': { type: 'boolean' },
  'notice-given': { type: 'string' },
  'same-version': { type: 'boolean' },
  key: { type: 'string' },
  scope: { type: 'string' },
  origin: { type: 'string' },
  confirm: { type: 'string' },
  since: { type: 'string' },
  retry: { type: 'string' },
  all: { type: 'boolean' },
  user: { type: 'string' },
  anonymous: { type: 'string' },
  account: { type: 'string' },
  subject: { type: 'string' },
  complete: { type: 'boolean' },
  wait: { type: 'boolean' },
  undo: { type: 'boolean' },
  verified: { type: 'string' },
  copy: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

async function usage(): Promise<string> {
  const lines = (await overview()).map(
    ({ name, takes, does }) => `  ${`${name} ${takes}`.padEnd(44)} ${does}`,
  );
  return [
    'troth: keeps the promises that a privacy policy makes',
    '',
    ...lines,
    '',
    '  --json prints what a program can read. Exit: 0 done, 1 the answer is no, 2 a wrong command.',
  ].join('\n');
}

/** Where a command's words go, and what it is run on. */
export type Surroundings = Pick<
  Invocation,
  'root' | 'dataDir' | 'keyring' | 'policiesDir' | 'today' | 'ask' | 'readInput' | 'colour'
> & {
  /** Standard output. */
  print(text: string): void;
  /** Standard error. */
  complain(text: string): void;
};

type Outcome = { code: 0 | 1 | 2; json: unknown; text: string; to: 'print' | 'complain' };

const done = (text: string, json: unknown): Outcome => ({ code: 0, text, json, to: 'print' });

/**
 * Runs one command; returns the exit code. With `--json` standard output holds one JSON document,
 * whatever happened: the answer, or a problem. @see RFC 9457
 */
export async function runCommand(argv: string[], surroundings: Surroundings): Promise<0 | 1 | 2> {
  const asJson = argv.includes('--json');
  const outcome = await outcomeOf(argv, surroundings, asJson).catch(outcomeOfError);
  if (asJson) surroundings.print(JSON.stringify(outcome.json, null, 2));
  else if (outcome.text !== '') surroundings[outcome.to](outcome.text);
  return outcome.code;
}

async function outcomeOf(
  argv: string[],
  surroundings: Surroundings,
  asJson: boolean,
): Promise<Outcome> {
  const [name = '', ...rest] = argv.filter((word) => word !== '--json');
  if (['', '--help', '-h', 'help'].includes(name))
    return done(await usage(), { commands: await overview() });
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) return wrong(`"${name}" is not a command`, await usage());
  const command = await load();
  const how = `troth ${name} ${command.takes}`;
  try {
    const { print, ask, root, dataDir, keyring, policiesDir, today, readInput, colour } =
      surroundings;
    const { values, positionals } = parseArgs({
      args: rest,
      options: OPTIONS,
      allowPositionals: true,
    });
    if (values.help) return done(`${how}\n  ${command.does}`, { usage: how, does: command.does });
    const answer = await command.run({
      root,
      dataDir,
      keyring,
      policiesDir,
      today,
      readInput,
      colour,
      names: positionals,
      options: { ...values, json: asJson },
      ask: asJson ? undefined : ask,
      progress: (text) => {
        if (!asJson) print(text);
      },
    });
    return { ...done(answer.text, answer.json), code: answer.no ? 1 : 0 };
  } catch (error) {
    if (error instanceof Usage || isArgumentError(error)) {
      return wrong(error.message, `  usage: ${how}`);
    }
    throw error;
  }
}

async function overview() {
  const commands = Object.entries(COMMANDS).map(async ([name, load]) => {
    const { takes, does } = await load();
    return { name, takes, does };
  });
  return Promise.all(commands);
}

function wrong(detail: string, help: string): Outcome {
  const problem = cliProblem('command-not-understood', detail).toJSON();
  const text = `${detail}\n${help}`;
  return { code: 2, text, to: 'complain', json: { ...problem, usage: help.trim() } };
}

/** @throws whatever is no refusal: a bug, which ends in its stack. */
function outcomeOfError(error: unknown): Outcome {
  if (error instanceof Refused) {
    return { code: 1, text: error.message, to: 'complain', json: error.document };
  }
  if (error instanceof Problem) {
    const text = `${error.title}: ${error.detail}`;
    return { code: 1, text, to: 'complain', json: error.toJSON() };
  }
  throw error;
}

function isArgumentError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}
