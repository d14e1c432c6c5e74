/** The published sentences: searchable by keyword, and tied to the promises that quote them. */
import type { Policy } from '#language/policy';
import { LineIndex } from '#reading';

export type Hit = {
  readonly line: number;
  readonly text: string;
  readonly match: string;
  /** The groups of the pattern. */
  readonly groups: readonly (string | undefined)[];
};

type Row = Policy['promises'][number];

export class Prose {
  /** False when there was no prose, so that the quotes of the promises stand in for it. */
  readonly whole: boolean;
  readonly lines: readonly string[];
  readonly #text: string;
  readonly #lower: string;
  readonly #index: LineIndex;
  readonly #rowsAt = new Map<number, Row[]>();

  constructor(policy: Policy, prose: string | undefined) {
    this.whole = prose !== undefined;
    this.lines = prose === undefined ? quotedLines(policy) : prose.split(/\r?\n/);
    this.#text = this.lines.join('\n');
    // toLowerCase() may change lengths ("İ"); offsets must stay those of the text.
    const lower = this.#text.toLowerCase();
    this.#lower = lower.length === this.#text.length ? lower : asciiLower(this.#text);
    this.#index = new LineIndex(this.#text);
    for (const row of policy.promises) {
      for (const line of linesOf(row.line)) {
        const rows = this.#rowsAt.get(line);
        if (rows) rows.push(row);
        else this.#rowsAt.set(line, [row]);
      }
    }
  }

  /**
   * Lines with a keyword (small letters) on which the pattern matches. The keyword keeps a long
   * prose cheap: seventy patterns over ten thousand lines would not be.
   */
  *find(keyword: string, pattern: RegExp): Generator<Hit> {
    let at = this.#lower.indexOf(keyword);
    while (at !== -1) {
      const { line, column } = this.#index.locate(at);
      const text = this.lines[line - 1] ?? '';
      const match = pattern.exec(text);
      if (match) yield { line, text, match: match[0], groups: match.slice(1) };
      at = this.#lower.indexOf(keyword, at - (column - 1) + text.length);
    }
  }

  /** The first hit of `find`. */
  first(keyword: string, pattern: RegExp): Hit | undefined {
    const found = this.find(keyword, pattern).next();
    return found.done ? undefined : found.value;
  }

  has(keyword: string, pattern: RegExp): boolean {
    return this.first(keyword, pattern) !== undefined;
  }

  rowsAt(line: number): readonly Row[] {
    return this.#rowsAt.get(line) ?? [];
  }

  /** The promises about a hit: those whose quote holds the words, else all of that line. */
  promisesAt({ line, match }: Hit): string[] {
    // A comment in a listing speaks about the statement below it.
    const rows = [line, line + 1].map((near) => this.rowsAt(near)).find(({ length }) => length > 0);
    if (!rows) return [];
    const words = plain(match);
    const about = rows.filter(
      ({ says }) => plain(says).includes(words) || words.includes(plain(says)),
    );
    return (about.length > 0 ? about : rows).map(({ id }) => id);
  }
}

const asciiLower = (text: string) => text.replaceAll(/[A-Z]+/g, (run) => run.toLowerCase());

/** Words as a reader sees them: without Markdown's marks, one space between, small letters. */
export function plain(text: string): string {
  return text
    .replaceAll(/[*`_#]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Reads "63-64, 70" as line numbers; at most 10,000, since a range may be hostile. */
export function linesOf(written: string | number): number[] {
  if (typeof written === 'number') return [written];
  const lines: number[] = [];
  for (const part of written.split(',')) {
    const [from = 0, to = from] = part.split('-').map(Number);
    for (let line = from; line <= to && lines.length < 10_000; line++) lines.push(line);
  }
  return lines;
}

function quotedLines(policy: Policy): string[] {
  const lines: string[] = [];
  for (const { line, says } of policy.promises) {
    const quote = says.replaceAll('\n', ' ');
    const [first = 1] = linesOf(line);
    if (first > 100_000) continue;
    while (lines.length < first) lines.push('');
    lines[first - 1] = lines[first - 1] ? `${lines[first - 1]} … ${quote}` : quote;
  }
  return lines;
}
