/**
 * The command line: `troth lint | plan | apply | diff | render | explain | keys | prove`.
 *
 * Quiet on success, one line a step; what a program reads comes with `--json` on standard output.
 * Exit codes: 0 done, 1 the answer is no (open findings, a refusal), 2 the command was wrong.
 */
import { parseArgs } from 'node:util';
import { applyCommand, planCommand } from './apply.ts';
import { diffCommand, explainCommand, lintCommand, renderCommand } from './documents.ts';
import { keysCommand } from './keys.ts';
import { proveCommand } from './prove.ts';
import type { Command, Invocation } from './terminal.ts';
import { Usage } from './terminal.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  lint: lintCommand,
  plan: planCommand,
  apply: applyCommand,
  diff: diffCommand,
  render: renderCommand,
  explain: explainCommand,
  keys: keysCommand,
  prove: proveCommand,
};

const OPTIONS = {
  json: { type: 'boolean' },
  against: { type: 'string' },
  format: { type: 'string' },
  out: { type: 'string' },
  reason: { type: 'string' },
  tenant: { type: 'string' },
  promise: { type: 'string' },
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

/** Runs one command; returns the exit code. */
export async function runCommand(
  argv: string[],
  surroundings: Omit<Invocation, 'names' | 'options'>,
): Promise<0 | 1 | 2> {
  const [name = '', ...rest] = argv;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    surroundings.complain(name ? `"${name}" is not a command.\n\n${usage()}` : usage());
    return name === '' || name === '--help' || name === 'help' ? 0 : 2;
  }
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: OPTIONS,
      allowPositionals: true,
    });
    if (values.help) {
      surroundings.print(`troth ${name} ${command.takes}\n  ${command.does}`);
      return 0;
    }
    return await command.run({ ...surroundings, names: positionals, options: values });
  } catch (error) {
    if (error instanceof Usage || isArgumentError(error)) {
      surroundings.complain(`${error.message}\n  usage: troth ${name} ${command.takes}`);
      return 2;
    }
    throw error;
  }
}

function isArgumentError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}
