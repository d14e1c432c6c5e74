/** The page as a list of blocks, so that HTML and Markdown cannot say different things. */

export type PromiseState = 'kept' | 'broken' | 'gap' | 'attested';

export type Line = { readonly text: string; readonly state?: PromiseState; readonly note?: string };

export type Block =
  | {
      readonly kind: 'heading';
      readonly level: 1 | 2 | 3;
      readonly text: string;
      readonly id?: string;
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'quotes'; readonly lines: readonly Line[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

export const heading = (level: 1 | 2 | 3, text: string): Block => ({
  kind: 'heading',
  level,
  text,
});
export const text = (words: string): Block => ({ kind: 'text', text: words });

/** A table, or nothing when it would be empty. */
export function tableOf(title: string, head: string[], rows: string[][]): Block[] {
  return rows.length === 0 ? [] : [heading(2, title), { kind: 'table', head, rows }];
}
