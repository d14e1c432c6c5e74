/**
 * Reads YAML 1.2 into a tree with places, without the parts of YAML that hide meaning: several
 * documents, anchors and aliases, tags, merge keys, keys that are not words, keys written twice.
 */
import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  Parser,
} from 'yaml';
import { FORBIDDEN_KEYS } from './forbidden-keys.ts';
import { DEPTH_MAX, guard } from './guard.ts';
import { readPlainStyle } from './plain-style.ts';
import type { TextCode } from './text-lessons.ts';
import type { Entry, Node, TextProblem } from './tree.ts';

export type ReadText = { tree?: Node; problems: TextProblem[] };

const PROBLEMS_MAX = 100;

export function readYaml(text: string): ReadText {
  const refused = guard(text);
  if (refused) return { problems: [refused] };
  const tree = readPlainStyle(text);
  return tree ? { tree, problems: [] } : readAnyYaml(text);
}

/** Reads whatever YAML allows, with the parser that knows all of it. */
export function readAnyYaml(text: string): ReadText {
  try {
    return readDocuments(text);
  } catch {
    // The guard should have stopped whatever makes the parser throw; never let it reach the caller.
    return {
      problems: [
        { code: 'document/unreadable', message: 'The text cannot be read as YAML.', at: 0 },
      ],
    };
  }
}

function readDocuments(text: string): ReadText {
  const tokens = tokensOf(text);
  if (!Array.isArray(tokens)) return { problems: [tokens] };
  // Duplicate keys are looked for below: the parser's own search is quadratic.
  const composer = new Composer({ uniqueKeys: false });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [first, second] = documents;
  if (second) {
    return {
      problems: [
        {
          code: 'document/several-documents',
          message: 'A file holds one policy; a second document starts here.',
          at: second.range[0],
        },
      ],
    };
  }
  if (first?.contents === null && first.errors.length === 0) {
    return { problems: [{ code: 'document/empty', message: 'The document is empty.', at: 0 }] };
  }
  const problems = [...(first?.errors ?? []), ...(first?.warnings ?? [])]
    .slice(0, PROBLEMS_MAX)
    .map(
      ({ message, pos, code }): TextProblem => ({
        code: code === 'TAG_RESOLVE_FAILED' ? 'document/tag' : 'document/syntax',
        message,
        at: pos[0],
      }),
    );
  if (problems.length > 0) return { problems };
  const walker = new Walker();
  const tree = walker.walk(first?.contents, 0);
  return walker.problems.length > 0 ? { problems: walker.problems } : { tree, problems: [] };
}

/**
 * The tokens of the text, unless they nest too deep. Counted while they are read, since composing
 * them recurses: a megabyte of `[` would otherwise end in a stack overflow.
 */
function tokensOf(text: string): CST.Token[] | TextProblem {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > DEPTH_MAX) {
      return {
        code: 'document/too-deep',
        message: `Values are nested more than ${DEPTH_MAX} deep here.`,
        at: parser.offset,
      };
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

class Walker {
  readonly problems: TextProblem[] = [];

  walk(node: unknown, near: number): Node {
    if (isAlias(node)) {
      this.#refuse('document/alias', 'Aliases hide what a policy says.', node.range?.[0] ?? near);
      return { kind: 'scalar', value: null, at: near };
    }
    if (isScalar(node)) {
      const at = node.range?.[0] ?? near;
      this.#refuseDecoration(node, at);
      return { kind: 'scalar', value: this.#plain(node.value, at), at };
    }
    if (isSeq(node)) {
      const at = node.range?.[0] ?? near;
      this.#refuseDecoration(node, at);
      return { kind: 'list', items: node.items.map((item) => this.walk(item, at)), at };
    }
    if (isMap(node)) {
      const at = node.range?.[0] ?? near;
      this.#refuseDecoration(node, at);
      return { kind: 'map', entries: this.#entries(node.items, at), at };
    }
    return { kind: 'scalar', value: null, at: near };
  }

  #entries(pairs: readonly Pair[], near: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      const keyAt = (isScalar(key) && key.range?.[0]) || near;
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        this.#refuse('document/key', 'A key is a plain word.', keyAt);
        continue;
      }
      this.#refuseDecoration(key, keyAt);
      const word = String(key.value);
      if (FORBIDDEN_KEYS.has(word)) {
        this.#refuse('document/forbidden-key', `The key ${word} is not allowed.`, keyAt);
      } else if (entries.has(word)) {
        this.#refuse('document/duplicate-key', `The key "${word}" stands here twice.`, keyAt);
      } else entries.set(word, { keyAt, node: this.walk(value, keyAt) });
    }
    return entries;
  }

  #plain(value: unknown, at: number): string | number | boolean | null {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#refuse('document/number', 'This number cannot be written in JSON.', at);
    return null;
  }

  #refuseDecoration(node: { anchor?: string | undefined; tag?: string | undefined }, at: number) {
    if (node.anchor) this.#refuse('document/alias', 'Anchors hide what a policy says.', at);
    if (node.tag) this.#refuse('document/tag', `The tag ${node.tag} is not allowed.`, at);
  }

  #refuse(code: TextCode, message: string, at: number): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ code, message, at });
  }
}
