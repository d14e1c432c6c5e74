/** Blocks as a page of HTML that loads nothing, runs nothing and says so in its own policy. */
import { sha256 } from '#language/canonical';
import { type Block, type Piece, piecesOf, type Words } from './page.ts';

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #8886}
p,li,h1,h2,h3{overflow-wrap:anywhere}q{quotes:"\\201c" "\\201d"}li{margin:.5rem 0}small{opacity:.8;display:block}
.kept,.attested{color:#0a6b36}.broken{color:#b3261e}.gap{color:#8a5a00}
@media(prefers-color-scheme:dark){.kept,.attested{color:#6fdc9b}.broken{color:#ff9b93}.gap{color:#f2c063}}`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that cannot become markup, in element content and in quoted attributes. */
export const escapeHtml = (text: string) =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** A whole document; its style is allowed by hash, so that the strictest of policies can hold. */
export function htmlOf(blocks: readonly Block[], title: string, language: string): string {
  const allowed = `default-src 'none'; style-src 'sha256-${base64(sha256(STYLE))}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(allowed)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${blocks.map(blockOf).join('\n')}
</main>
</body>
</html>
`;
}

/** A value carries its path: checking the page means finding the value where it is shown. */
function pieceOf(piece: Piece): string {
  if (typeof piece === 'string') return escapeHtml(piece);
  const text = escapeHtml(piece.text);
  if ('to' in piece) return `<a href="${escapeHtml(piece.to)}">${text}</a>`;
  return `<span data-at="${escapeHtml(piece.at)}">${text}</span>`;
}

/** A corner that heads nothing is no heading: a reader that speaks would announce one. */
const headOf = (cell: string) =>
  cell === '' ? '<td></td>' : `<th scope="col">${escapeHtml(cell)}</th>`;

const wordsOf = (words: Words) => piecesOf(words).map(pieceOf).join('');

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${wordsOf(block.words)}</h${block.level}>`;
    case 'text':
      return `<p>${wordsOf(block.words)}</p>`;
    case 'quotes': {
      const items = block.lines.map(({ text, state, note }) => {
        const badge = state ? ` <strong class="${state}">${state}</strong>` : '';
        return `<li><q>${escapeHtml(text)}</q>${badge}${note ? `<small>${escapeHtml(note)}</small>` : ''}</li>`;
      });
      return `<ul>\n${items.join('\n')}\n</ul>`;
    }
    case 'table': {
      const head = block.head.map(headOf).join('');
      const rows = block.rows.map(
        (row) => `<tr>${row.map((cell) => `<td>${wordsOf(cell)}</td>`).join('')}</tr>`,
      );
      return `<div class="wide" tabindex="0"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`;
    }
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 of hexadecimal digits, without the encoders of any host. */
function base64(hex: string): string {
  let out = '';
  for (let at = 0; at < hex.length; at += 6) {
    const chunk = hex.slice(at, at + 6);
    const bits = Number.parseInt(chunk.padEnd(6, '0'), 16);
    for (let i = 0; i < 4; i++) {
      out += i * 6 < chunk.length * 4 ? ALPHABET[(bits >> (18 - 6 * i)) & 63] : '=';
    }
  }
  return out;
}
