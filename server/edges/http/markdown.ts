/** The little Markdown that the pages of docs/problems use: titles, lists, code, links. */
import { escapeHtml } from '@troth/policy-language';

function inline(text: string): string {
  return escapeHtml(text)
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/\[([^\]]+)\]\(((?:https?:\/\/|\/|#)[^)\s]*)\)/g, '<a href="$2">$1</a>');
}

function block(text: string): string {
  const fence = /^```[a-z]*\n([\s\S]*?)\n?```$/.exec(text);
  if (fence) return `<pre><code>${escapeHtml(fence[1] ?? '')}</code></pre>`;
  const title = /^(#{1,3}) (.+)$/.exec(text);
  if (title) return `<h${title[1]?.length}>${inline(title[2] ?? '')}</h${title[1]?.length}>`;
  const lines = text.split('\n');
  if (lines.every((line) => /^([-*]|\d+\.|\s{2,})\s*/.test(line)) && /^([-*]|\d+\.) /.test(text)) {
    const items = text.split(/\n(?=[-*] |\d+\. )/).map((item) => item.replace(/^\S+ /, ''));
    const list = /^\d/.test(text) ? 'ol' : 'ul';
    return `<${list}>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</${list}>`;
  }
  return `<p>${inline(lines.join(' '))}</p>`;
}

/** @returns markup in which every character of the text was escaped first. */
export function markdownToHtml(text: string): string {
  const blocks = text.trim().match(/```[\s\S]*?```|(?:(?!\n\s*\n|```)[\s\S])+/g) ?? [];
  return blocks
    .flatMap((part) => part.trim().split(/\n(?=#)|(?<=^#[^\n]*)\n/m))
    .map((part) => part.trim())
    .filter(Boolean)
    .map(block)
    .join('\n');
}
