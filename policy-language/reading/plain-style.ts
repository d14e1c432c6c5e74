/**
 * Reads the plain style in which policies are written, a dozen times faster than a whole parser of
 * YAML: block maps and lists, flow maps and lists, scalars on one line, folded notes, comments.
 *
 * It never guesses. At the first character outside that style, and at every mistake, it steps aside
 * and the whole parser reads the text and words the mistake; a test compares the two on the real
 * policies and on thousands of spoilt ones. (10,000 lines: 70 ms here, 840 ms there.)
 */
import { FORBIDDEN_KEYS } from './forbidden-keys.ts';
import { DEPTH_MAX } from './guard.ts';
import { plainScalar } from './plain-scalar.ts';
import type { Entry, Node } from './tree.ts';

class NotPlain extends Error {}

/** The tree of a text in plain style; undefined for every other text, right or wrong. */
export function readPlainStyle(text: string): Node | undefined {
  if (/[\t\r\ufeff]/.test(text) || /^(?:---|\.\.\.|%)/m.test(text)) return undefined;
  try {
    return new PlainReader(text).document();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

const KEY = /[A-Za-z_][A-Za-z0-9_.-]*(?=:(?:[ \n]|$))/y;
/** Other escapes, doubled quotes and quotes over several lines are left to the whole parser. */
const DOUBLE_QUOTED = /"[^"\\\n]*(?:\\["\\][^"\\\n]*)*"/y;
const SINGLE_QUOTED = /'[^'\n]*'(?!')/y;
const unescaped = (inner: string) => inner.replaceAll(/\\(["\\])/g, '$1');

const SPECIAL_KEY = /^(?:null|true|false)$/i;
const FLOW_PLAIN_END = /[,{}[\]\n]|:(?=[ ,{}[\]\n])| #/g;

class PlainReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Node {
    const indent = this.#nextLine();
    if (indent !== 0) throw new NotPlain();
    const node = this.#blockMap(0);
    if (this.#nextLine() !== -1) throw new NotPlain();
    return node;
  }

  /** Goes to the first character of the next line with content; its indent, or -1 at the end. */
  #nextLine(): number {
    const text = this.#text;
    let start = this.#at;
    for (;;) {
      let at = start;
      while (text.charCodeAt(at) === 32) at += 1;
      if (at >= text.length) {
        this.#at = at;
        return -1;
      }
      const character = text.charCodeAt(at);
      if (character !== 10 && character !== 35) {
        this.#at = at;
        return at - start;
      }
      const end = text.indexOf('\n', at);
      if (end === -1) {
        this.#at = text.length;
        return -1;
      }
      start = end + 1;
    }
  }

  #blockMap(indent: number): Node {
    this.#deeper();
    const at = this.#at;
    const entries = new Map<string, Entry>();
    let here = indent;
    while (here === indent) {
      const keyAt = this.#at;
      const key = this.#key();
      this.#skipSpaces();
      const node = this.#afterKey(indent);
      this.#add(entries, key, { keyAt, node });
      const lineAt = this.#at;
      here = this.#nextLine();
      if (here > indent) throw new NotPlain();
      // The caller asks for the line again, and must see its indent.
      if (here !== indent) this.#at = lineAt;
    }
    this.#depth -= 1;
    return { kind: 'map', entries, at };
  }

  /** The whole parser says where it is too deep; this one only must not overflow. */
  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX / 2) throw new NotPlain();
  }

  #afterKey(indent: number): Node {
    if (!this.#atLineEnd()) return this.#value(indent);
    this.#endLine();
    const lineAt = this.#at;
    const inner = this.#nextLine();
    const isList = this.#text[this.#at] === '-';
    if (inner < indent || (inner === indent && !isList) || inner === -1) {
      this.#at = lineAt;
      throw new NotPlain();
    }
    if (isList) return this.#blockList(inner);
    KEY.lastIndex = this.#at;
    return KEY.test(this.#text) ? this.#blockMap(inner) : this.#value(indent);
  }

  #blockList(indent: number): Node {
    const at = this.#at;
    const items: Node[] = [];
    let here = indent;
    while (here === indent && this.#text[this.#at] === '-') {
      if (this.#text[this.#at + 1] !== ' ') throw new NotPlain();
      const dashAt = this.#at;
      this.#at += 2;
      this.#skipSpaces();
      KEY.lastIndex = this.#at;
      const isMap = KEY.test(this.#text);
      items.push(isMap ? this.#blockMap(indent + this.#at - dashAt) : this.#value(indent));
      const lineAt = this.#at;
      here = this.#nextLine();
      if (here > indent) throw new NotPlain();
      if (here !== indent || this.#text[this.#at] !== '-') {
        this.#at = lineAt;
        break;
      }
    }
    return { kind: 'list', items, at };
  }

  /** A value that begins on this line, and the end of its last line. */
  #value(indent: number): Node {
    const character = this.#text[this.#at];
    let node: Node;
    if (character === '{' || character === '[') node = this.#flow(indent);
    else if (character === '"' || character === "'") node = this.#quoted();
    else if (character === '>') return this.#folded(indent);
    else node = this.#blockPlain();
    this.#skipSpaces();
    if (!this.#atLineEnd()) throw new NotPlain();
    this.#endLine();
    return node;
  }

  #blockPlain(): Node {
    const at = this.#at;
    const lineEnd = this.#text.indexOf('\n', at);
    const line = this.#text.slice(at, lineEnd === -1 ? undefined : lineEnd);
    const comment = line.indexOf(' #');
    const words = (comment === -1 ? line : line.slice(0, comment)).trimEnd();
    if (words.includes(': ') || words.endsWith(':')) throw new NotPlain();
    this.#at += words.length;
    return { kind: 'scalar', value: this.#scalar(words), at };
  }

  #scalar(words: string) {
    const value = plainScalar(words);
    if (value === undefined) throw new NotPlain();
    return value;
  }

  /** `>-` over lines of one indent; whatever is finer than that goes to the whole parser. */
  #folded(indent: number): Node {
    const text = this.#text;
    const at = this.#at;
    if (!text.startsWith('>-\n', at)) throw new NotPlain();
    let start = at + 3;
    let deep = -1;
    const lines: string[] = [];
    while (start < text.length) {
      const found = text.indexOf('\n', start);
      const end = found === -1 ? text.length : found;
      const line = text.slice(start, end);
      const content = line.trimStart();
      const depth = line.length - content.length;
      if (content === '') {
        if (line !== '' || deep === -1 || this.#continues(end, deep)) throw new NotPlain();
        break;
      }
      if (deep === -1) deep = depth;
      if (depth < deep) break;
      if (depth > deep || line.endsWith(' ')) throw new NotPlain();
      lines.push(content);
      start = end + 1;
    }
    if (deep <= indent) throw new NotPlain();
    this.#at = Math.min(start, text.length);
    return { kind: 'scalar', value: lines.join(' '), at };
  }

  #continues(from: number, deep: number): boolean {
    const rest = /\S/g;
    rest.lastIndex = from;
    const next = rest.exec(this.#text)?.index;
    if (next === undefined) return false;
    return next - (this.#text.lastIndexOf('\n', next) + 1) >= deep;
  }

  #flow(indent: number): Node {
    this.#deeper();
    const at = this.#at;
    const isMap = this.#text[at] === '{';
    const close = isMap ? '}' : ']';
    this.#at += 1;
    const entries = new Map<string, Entry>();
    const items: Node[] = [];
    this.#skipFlowSpace(indent);
    while (this.#text[this.#at] !== close) {
      if (isMap) this.#flowEntry(entries, indent);
      else items.push(this.#flowValue(indent));
      this.#skipFlowSpace(indent);
      if (this.#text[this.#at] === ',') {
        this.#at += 1;
        this.#skipFlowSpace(indent);
      } else if (this.#text[this.#at] !== close) throw new NotPlain();
    }
    this.#at += 1;
    this.#depth -= 1;
    return isMap ? { kind: 'map', entries, at } : { kind: 'list', items, at };
  }

  #flowEntry(entries: Map<string, Entry>, indent: number): void {
    const keyAt = this.#at;
    const key = this.#key();
    this.#skipFlowSpace(indent);
    this.#add(entries, key, { keyAt, node: this.#flowValue(indent) });
  }

  #flowValue(indent: number): Node {
    const character = this.#text[this.#at];
    if (character === '{' || character === '[') return this.#flow(indent);
    const node = character === '"' || character === "'" ? this.#quoted() : this.#flowPlain();
    this.#skipFlowSpace(indent);
    const next = this.#text[this.#at];
    if (next !== ',' && next !== '}' && next !== ']') throw new NotPlain();
    return node;
  }

  #flowPlain(): Node {
    const at = this.#at;
    FLOW_PLAIN_END.lastIndex = at;
    const end = FLOW_PLAIN_END.exec(this.#text)?.index ?? this.#text.length;
    const words = this.#text.slice(at, end).trimEnd();
    this.#at = end;
    return { kind: 'scalar', value: this.#scalar(words), at };
  }

  #quoted(): Node {
    const at = this.#at;
    const pattern = this.#text[at] === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED;
    pattern.lastIndex = at;
    if (!pattern.test(this.#text)) throw new NotPlain();
    this.#at = pattern.lastIndex;
    const inner = this.#text.slice(at + 1, this.#at - 1);
    const value = inner.includes('\\') && pattern === DOUBLE_QUOTED ? unescaped(inner) : inner;
    return { kind: 'scalar', value, at };
  }

  #key(): string {
    KEY.lastIndex = this.#at;
    if (!KEY.test(this.#text)) throw new NotPlain();
    const key = this.#text.slice(this.#at, KEY.lastIndex);
    if (SPECIAL_KEY.test(key) || FORBIDDEN_KEYS.has(key)) throw new NotPlain();
    this.#at += key.length + 1;
    return key;
  }

  #add(entries: Map<string, Entry>, key: string, entry: Entry): void {
    if (entries.has(key)) throw new NotPlain();
    entries.set(key, entry);
  }

  #skipSpaces(): void {
    while (this.#text.charCodeAt(this.#at) === 32) this.#at += 1;
  }

  #atLineEnd(): boolean {
    const character = this.#text[this.#at];
    if (character === undefined || character === '\n') return true;
    return character === '#' && this.#text[this.#at - 1] === ' ';
  }

  #endLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end + 1;
  }

  /** Inside brackets: spaces, line ends and comments, as long as each line stays indented. */
  #skipFlowSpace(indent: number): void {
    this.#skipSpaces();
    if (!this.#atLineEnd()) return;
    this.#endLine();
    const next = this.#nextLine();
    if (next <= indent) throw new NotPlain();
  }
}
