import { readFileSync } from 'node:fs';

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
  };
  /** The repository's folder: where `policies/` is looked for. */
  root: string;
  dataDir: string;
  print(text: string): void;
  complain(text: string): void;
  /** Colour only on a terminal. */
  colour: boolean;
};

export type Command = {
  takes: string;
  does: string;
  run(invocation: Invocation): Promise<0 | 1 | 2>;
};

/** The command was given wrongly: exit code 2, with how to give it. */
export class Usage extends Error {}

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
