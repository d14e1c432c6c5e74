/** The document as a tree that remembers where each value stands. */
import type { TextCode } from './text-lessons.ts';

export type Entry = { readonly keyAt: number; readonly node: Node };

export type Node =
  | {
      readonly kind: 'scalar';
      readonly value: string | number | boolean | null;
      readonly at: number;
    }
  | { readonly kind: 'list'; readonly items: Node[]; readonly at: number }
  | { readonly kind: 'map'; readonly entries: Map<string, Entry>; readonly at: number };

/** A mistake of the text itself, before any grammar is asked. Offsets are in UTF-16 code units. */
export type TextProblem = {
  readonly code: TextCode;
  readonly message: string;
  readonly at: number;
};

export type Path = readonly (string | number | symbol)[];

/** The plain value of a tree. Keys such as `__proto__` never get here: the reader refuses them. */
export function plainOf(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  const value: Record<string, unknown> = {};
  node.entries.forEach((entry, key) => {
    value[key] = plainOf(entry.node);
  });
  return value;
}

/** The node at a path; undefined where the document has none. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.node;
    else if (node?.kind === 'list') node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** Where a path stands in the text: its key if it has one, else the nearest place above it. */
export function offsetOf(root: Node, path: Path): number {
  let node: Node = root;
  let offset = node.at;
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(step));
      if (!entry) return offset;
      offset = entry.keyAt;
      node = entry.node;
    } else if (node.kind === 'list') {
      const item = node.items[Number(step)];
      if (!item) return offset;
      offset = item.at;
      node = item;
    } else return offset;
  }
  return offset;
}

/** Finds line and column of an offset in logarithmic time. */
export class LineIndex {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  locate(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}
