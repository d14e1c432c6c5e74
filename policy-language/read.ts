/** The way in: text → policy, or findings that say where and why not. */
import {
  findingsOf,
  LineIndex,
  type Node,
  offsetOf,
  type Path,
  plainOf,
  READ_ONCE,
  readYaml,
  TEXT_LENGTH_MAX,
  TEXT_LESSONS,
} from '#reading';
import { compile } from './compile.ts';
import { PolicyDocument } from './document.ts';
import type { Finding } from './finding.ts';
import type { Policy } from './policy.ts';

/** Where the parts of a policy stand in its file. */
export type PolicySource = {
  readonly file: string;
  place(path: Path): { line: number; column: number };
};

/** A longer text is refused before it is parsed. Characters. */
export { TEXT_LENGTH_MAX };

const sources = new WeakMap<Policy, PolicySource>();
const NOWHERE: PolicySource = { file: 'policy', place: () => ({ line: 1, column: 1 }) };

/** The file a policy was read from; a policy that was not read from text stands nowhere. */
export const sourceOf = (policy: Policy): PolicySource => sources.get(policy) ?? NOWHERE;

/**
 * Reads a policy. Never throws, whatever the text: what is wrong with syntax or shape comes back as
 * findings of severity `error`, each with a place and what would have been right, and no policy.
 */
export function readPolicy(
  text: string,
  { file }: { file: string },
): { policy?: Policy; findings: Finding[] } {
  const lines = new LineIndex(text);
  const { tree, problems } = readYaml(text);
  if (!tree) {
    const findings = problems.map(({ at, ...problem }): Finding => {
      const lesson = TEXT_LESSONS[problem.code];
      const place = { file, ...lines.locate(at) };
      return { ...problem, ...lesson, severity: 'error', ...place, state: 'open' };
    });
    return { findings };
  }
  const checked = PolicyDocument.safeParse(plainOf(tree), READ_ONCE);
  if (!checked.success) {
    return { findings: findingsOf(PolicyDocument, checked.error.issues, { file, tree, lines }) };
  }
  const policy = compile(checked.data);
  sources.set(policy, sourceIn(file, tree, lines));
  return { policy, findings: [] };
}

function sourceIn(file: string, tree: Node, lines: LineIndex): PolicySource {
  return { file, place: (path) => lines.locate(offsetOf(tree, path)) };
}
