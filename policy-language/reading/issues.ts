/** Turns what zod found into sentences with a place, what was expected, and a right value. */
import type { z } from 'zod';
import type { Finding } from '#language/finding';
import {
  choicesAt,
  didYouMean,
  keyLessonAt,
  keysAt,
  type Lesson,
  lessonAt,
} from './schema-walk.ts';
import { nearest } from './suggest.ts';
import { type LineIndex, type Node, nodeAt, offsetOf, type Path } from './tree.ts';

export type Source = { file: string; tree: Node; lines: LineIndex };
type Issue = z.core.$ZodIssue;

const FINDINGS_MAX = 200;
/** Of one object; a text with more strangers is no policy, and each is compared with every key. */
const KEYS_MAX = 50;

export function findingsOf(root: z.ZodType, issues: readonly Issue[], source: Source): Finding[] {
  return issues
    .flatMap((issue) => narrow(issue))
    .slice(0, FINDINGS_MAX)
    .flatMap((issue) => describe(root, issue, source));
}

/** Of a union, speaks about the branch that came furthest: that is the one that was meant. */
function narrow(issue: Issue, above: Path = []): Issue[] {
  const path = [...above, ...issue.path] as Issue['path'];
  if (issue.code !== 'invalid_union') return [{ ...issue, path }];
  const ranked = issue.errors
    .filter((branch) => branch.length > 0)
    .map((branch) => ({ branch, reach: Math.max(...branch.map(reachOf)) }))
    .sort((a, b) => b.reach - a.reach);
  const [best, second] = ranked;
  if (!best || (best.reach === second?.reach && best.reach === 0)) return [{ ...issue, path }];
  return best.branch.flatMap((inner) => narrow(inner, path));
}

const reachOf = ({ code, path }: Issue) =>
  path.length * 2 + (code === 'invalid_type' && path.length === 0 ? 0 : 1);

function describe(root: z.ZodType, issue: Issue, source: Source): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, KEYS_MAX).map((key) => unknownKey(root, issue.path, key, source));
  }
  const node = nodeAt(source.tree, issue.path);
  const named = nameOf(issue.path);
  const lesson = lessonAt(root, issue.path);
  if (issue.code === 'invalid_key') {
    const message = `${named} cannot be a key here.`;
    return [place('document/key', message, issue.path, source, keyLessonAt(root, issue.path))];
  }
  if (!node && isBasis(issue.path)) {
    const message = `The purpose "${String(issue.path[1])}" has no legal basis.`;
    return [place('purpose/without-basis', message, issue.path, source, lesson)];
  }
  if (!node) {
    return [place('document/missing-key', `${named} is missing here.`, issue.path, source, lesson)];
  }
  const written = node.kind === 'scalar' ? node.value : undefined;
  const choices = choicesAt(root, issue.path);
  const code = issue.code === 'invalid_type' ? 'document/wrong-type' : 'document/wrong-value';
  const why = issue.code === 'custom' ? `: ${issue.message}` : '';
  const message = `${named} cannot be ${show(node)}${why}.${didYouMean(written, choices)}`;
  return [place(code, message, issue.path, source, lesson)];
}

/** The field by its name; of a list that nothing names, its place in the list and that of the list. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'The document';
  if (typeof last !== 'number') return `"${String(last)}"`;
  const list = nameOf(path.slice(0, -1));
  return `Entry ${last + 1} of ${list.replace(/^(The|Entry)/, (word) => word.toLowerCase())}`;
}

const isBasis = ([section, , key]: Path) => section === 'purposes' && key === 'basis';

function unknownKey(root: z.ZodType, path: Path, key: string, source: Source): Finding {
  const keys = keysAt(root, path);
  const message = `There is no key "${key}" here.${didYouMean(key, keys)}`;
  const example = nearest(key, keys) ?? keys[0];
  const lesson = { expected: `one of ${keys.join(', ')}`, ...(example && { example }) };
  return place('document/unknown-key', message, [...path, key], source, lesson);
}

function show(node: Node): string {
  if (node.kind !== 'scalar') return `a ${node.kind === 'map' ? 'map' : 'list'}`;
  const shown = JSON.stringify(node.value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

function place(code: string, message: string, path: Path, source: Source, lesson: Lesson): Finding {
  const { line, column } = source.lines.locate(offsetOf(source.tree, path));
  return {
    code,
    severity: 'error',
    message,
    ...lesson,
    file: source.file,
    line,
    column,
    state: 'open',
  };
}
