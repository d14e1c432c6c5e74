/** The page as a list of blocks, so that HTML and Markdown cannot say different things. */

export type PromiseState = 'kept' | 'broken' | 'gap' | 'attested';

export type Line = { readonly text: string; readonly state?: PromiseState; readonly note?: string };

/** A value of the document in words, marked with its path: whoever checks the page finds it. */
export type Value = { readonly text: string; readonly at: string };
/** A link within the site. */
export type Link = { readonly text: string; readonly to: `/${string}` };
export type Piece = string | Value | Link;
/** What stands in a heading, a paragraph or a cell: pieces, one after the other. */
export type Words = Piece | readonly Piece[];

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly words: Words }
  | { readonly kind: 'text'; readonly words: Words }
  | { readonly kind: 'quotes'; readonly lines: readonly Line[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly Words[])[];
    };

export const piecesOf = (words: Words): readonly Piece[] =>
  Array.isArray(words) ? (words as readonly Piece[]) : [words as Piece];

export const heading = (level: 1 | 2 | 3, words: Words): Block => ({
  kind: 'heading',
  level,
  words,
});
export const text = (...words: Piece[]): Block => ({ kind: 'text', words });

/** A table, or nothing when it would be empty. */
export function tableOf(title: string, head: string[], rows: Words[][]): Block[] {
  return rows.length === 0 ? [] : [heading(2, title), { kind: 'table', head, rows }];
}
