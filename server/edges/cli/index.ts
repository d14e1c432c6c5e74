/**
 * The command line: `troth init | lint | plan | apply | diff | render | explain | keys | prove |
 * doctor | operator | audit | verify`.
 * The command line: `troth init | lint | plan | apply | diff | render | explain | keys | inbox |
 * prove`.
 *
 * Quiet on success, one line a step; with `--json` one document on standard output, errors
 * included. Exit codes: 0 done, 1 the answer is no (open findings, a refusal), 2 the command was
 * wrong.
 */
import { parseArgs } from 'node:util';
import { Problem } from '#base/problem';
import { applyCommand, planCommand } from './apply.ts';
import { auditCommand } from './audit.ts';
import { doctorCommand } from './doctor.ts';
import { diffCommand, explainCommand, lintCommand, renderCommand } from './documents.ts';
import { cliProblem } from './errors.ts';
import { inboxCommand } from './inbox.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { operatorCommand } from './operator.ts';
import { proveCommand } from './prove.ts';
import { type Command, type Invocation, Refused, Usage } from './terminal.ts';
import { verifyCommand } from './verify.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  init: initCommand,
  lint: lintCommand,
  plan: planCommand,
  apply: applyCommand,
  diff: diffCommand,
  render: renderCommand,
  explain: explainCommand,
  keys: keysCommand,
  doctor: doctorCommand,
  operator: operatorCommand,
  inbox: inboxCommand,
  prove: proveCommand,
  audit: auditCommand,
  verify: verifyCommand,
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
  since: { type: 'string' },
  retry: { type: 'string' },
  all: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, command]) => `  ${`${name} ${command.takes}`.padEnd(44)} ${command.does}`,
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
  'root' | 'dataDir' | 'policiesDir' | 'today' | 'ask' | 'colour'
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
  if (['', '--help', '-h', 'help'].includes(name)) return done(usage(), { commands: overview() });
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return wrong(`"${name}" is not a command`, usage());
  const how = `troth ${name} ${command.takes}`;
  try {
    const { root, dataDir, policiesDir, today, ask, colour } = surroundings;
    const { values, positionals } = parseArgs({
      ...{ args: rest, options: OPTIONS, allowPositionals: true },
    });
    if (values.help) return done(`${how}\n  ${command.does}`, { usage: how, does: command.does });
    const answer = await command.run({
      ...{ root, dataDir, policiesDir, today, colour, names: positionals },
      options: { ...values, json: asJson },
      ask: asJson ? undefined : ask,
      progress: (text) => {
        if (!asJson) surroundings.print(text);
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

const overview = () =>
  Object.entries(COMMANDS).map(([name, { takes, does }]) => ({ name, takes, does }));

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
