/** Blocks as Markdown. What came from the document cannot become markup. */
import type { Block } from './page.ts';

const escapeMarkdown = (text: string) =>
  text
    .replaceAll(/[\\`*_{}[\]()#+!|<>~]/g, (character) => `\\${character}`)
    .replaceAll(/\s*\n\s*/g, ' ');

export function markdownOf(blocks: readonly Block[]): string {
  return `${blocks.map(blockOf).join('\n\n')}\n`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${escapeMarkdown(block.text)}`;
    case 'text':
      return escapeMarkdown(block.text);
    case 'quotes':
      return block.lines
        .map(({ text, state, note }) => {
          const head = `- “${escapeMarkdown(text)}”${state ? ` **${state}**` : ''}`;
          return note ? `${head}\n  ${escapeMarkdown(note)}` : head;
        })
        .join('\n');
    case 'table': {
      const row = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
      const rule = `|${block.head.map(() => '---').join('|')}|`;
      return [row(block.head), rule, ...block.rows.map(row)].join('\n');
    }
  }
}
