/** Blocks as Markdown. What came from the document cannot become markup. */
import { type Block, piecesOf, type Words } from './page.ts';

const escapeMarkdown = (text: string) =>
  text
    .replaceAll(/[\\`*_{}[\]()#+!|<>~]/g, (character) => `\\${character}`)
    .replaceAll(/\s*\n\s*/g, ' ');

const wordsOf = (words: Words) =>
  escapeMarkdown(
    piecesOf(words)
      .map((piece) => (typeof piece === 'string' ? piece : piece.text))
      .join(''),
  );

export function markdownOf(blocks: readonly Block[]): string {
  return `${blocks.map(blockOf).join('\n\n')}\n`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${wordsOf(block.words)}`;
    case 'text':
      return wordsOf(block.words);
    case 'quotes':
      return block.lines
        .map(({ text, state, note }) => {
          const head = `- “${escapeMarkdown(text)}”${state ? ` **${state}**` : ''}`;
          return note ? `${head}\n  ${escapeMarkdown(note)}` : head;
        })
        .join('\n');
    case 'table': {
      const row = (cells: readonly Words[]) => `| ${cells.map(wordsOf).join(' | ')} |`;
      const rule = `|${block.head.map(() => '---').join('|')}|`;
      return [row(block.head), rule, ...block.rows.map(row)].join('\n');
    }
  }
}
