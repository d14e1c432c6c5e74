/** The lines of the policy that a promise quotes, with a line or two around them. */
export type ContextLine = { number: number; text: string; quoted: boolean };

const AROUND = 2;

/** Reads "9", "63-64" or "5, 12-13": every line number named, in order. */
export function lineNumbers(written: string | null): number[] {
  const parts = (written ?? '').matchAll(/(\d+)(?:\s*-\s*(\d+))?/g);
  return [...parts].flatMap(([, first, last]) => {
    const from = Number(first);
    const to = Math.min(Number(last ?? first), from + 200);
    return Array.from({ length: Math.max(to - from + 1, 1) }, (_, at) => from + at);
  });
}

/** Blank lines and rulers are left out; lines far from the quoted ones too. */
export function linesOf(written: string | null, lines: readonly string[]): ContextLine[] {
  const quoted = new Set(lineNumbers(written));
  const near = (number: number) => [...quoted].some((line) => Math.abs(line - number) <= AROUND);
  return lines
    .map((text, at) => ({ number: at + 1, text, quoted: quoted.has(at + 1) }))
    .filter(({ number, text }) => /[\p{L}\p{N}]/u.test(text) && near(number));
}
