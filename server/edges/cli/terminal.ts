import { readFileSync } from 'node:fs';
import { cliProblem } from './errors.ts';

export type Invocation = {
  names: string[];
  options: {
    json?: boolean;
    against?: string;
    format?: string;
    out?: string;
    reason?: string;
    tenant?: string;
    promise?: string;
    shares?: string;
    threshold?: string;
    service?: string;
    name?: string;
    email?: string;
    age?: string;
    days?: string;
    template?: string;
    'remove-samples'?: boolean;
    'notice-given'?: string;
    'same-version'?: boolean;
    key?: string;
    scope?: string;
    origin?: string;
    confirm?: string;
    since?: string;
    retry?: string;
    all?: boolean;
    user?: string;
    anonymous?: string;
    account?: string;
    subject?: string;
    complete?: boolean;
    wait?: boolean;
    undo?: boolean;
    verified?: string;
    copy?: string;
  };
  /** The repository's folder: where `policies/` is looked for. */
  root: string;
  dataDir: string;
  /** As the server that runs on these directories is told. */
  keyring: {
    dir: string;
    copyDir?: string | undefined;
    passphraseFile?: string | undefined;
  };
  /** Where the documents lie that are applied at start. */
  policiesDir: string;
  /** ISO 8601 day. */
  today: string;
  /** Asks whoever sits at the terminal; absent where nobody does. */
  ask?: ((question: string, otherwise: string) => Promise<string>) | undefined;
  /** Standard input, whole. */
  readInput(): Promise<string>;
  /** A line for people that is shown as soon as it is known; silent with --json. */
  progress(text: string): void;
  /** Colour only on a terminal. */
  colour: boolean;
};

/** What a command has to say, in both forms: which of them is printed is not for it to decide. */
export type Answer = {
  /** For people. Empty: all was said while it went on. */
  text: string;
  /** For programs: the one document on standard output. */
  json: unknown;
  /** True: it was done, and the answer is no; the exit code is 1. */
  no?: boolean;
};

export type Command = {
  takes: string;
  does: string;
  /** @throws Usage, Refused, Problem. */
  run(invocation: Invocation): Promise<Answer>;
};

/** The command was given wrongly: exit code 2, with how to give it. */
export class Usage extends Error {}

/** The first name that was given. @throws Usage with these words where there is none. */
export function first({ names }: Invocation, otherwise: string): string {
  const [name] = names;
  if (!name) throw new Usage(otherwise);
  return name;
}

export type ProblemDocument = { type: string; title: string; status: number; detail?: string };

/** What a server said no with, handed on as it came: exit code 1. */
export class Refused extends Error {
  readonly document: ProblemDocument;

  /** @param body  the answer's body; anything but a problem document says only that it was no. */
  constructor(body: unknown) {
    const { title, detail } = (body ?? {}) as Partial<ProblemDocument>;
    super([title, detail].filter(Boolean).join(': ') || 'the server refused');
    this.document =
      typeof title === 'string'
        ? (body as ProblemDocument)
        : (cliProblem(
            'server-answer-unknown',
            'the server refused and did not say why',
          ).toJSON() as ProblemDocument);
  }
}

const COLOURS = { green: 32, amber: 33, red: 31, quiet: 2, bold: 1 } as const;

export function paint(invocation: Invocation, colour: keyof typeof COLOURS, text: string): string {
  return invocation.colour ? `\u001B[${COLOURS[colour]}m${text}\u001B[0m` : text;
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new Usage(`${file}: ${why}`);
  }
}

/** A table that fits 80 columns where its words allow: the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const last = widths.length - 1;
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === last ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}
