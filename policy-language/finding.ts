/** What the reader and the linter have to say about a policy: one sentence, at one place. */

export type Severity = 'error' | 'warning' | 'note';

export type Finding = {
  /** Stable: group, slash, word. Recorded decisions and tests name it. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly expected?: string;
  /** A value that would be right at this place. */
  readonly example?: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The sentence of the published prose that the finding is about. */
  readonly quote?: { readonly line: number; readonly text: string };
  readonly promises?: readonly string[];
  /** The decision recorded under `resolves:`, when there is one. */
  readonly resolution?: { readonly decision: string; readonly because: string };
  readonly state: 'open' | 'resolved';
};

/** True when the findings leave no way to apply the policy. */
export function blocksApply(findings: readonly Finding[]): boolean {
  return findings.some(({ severity, state }) => severity === 'error' && state === 'open');
}

/** One line for a terminal: `file:line:column severity code message`. */
export function printFinding(finding: Finding): string {
  const { file, line, column, severity, code, message, expected, example, resolution } = finding;
  const head = `${file}:${line}:${column} ${resolution ? 'resolved' : severity} ${code} ${message}`;
  const help = [
    expected && `  expected: ${expected}`,
    example && `  example:  ${example}`,
    resolution && `  decided:  ${resolution.decision} (${resolution.because})`,
  ];
  return [head, ...help.filter(Boolean)].join('\n');
}
