/**
 * Turns the server's policy page into React elements, element by element, by an allow-list: no
 * markup of the answer is ever handed to the browser as markup, whatever a policy may contain.
 */
import { createElement, Fragment, type ReactNode } from 'react';

const TAGS = new Set(
  `h1 h2 h3 h4 h5 h6 p ul ol li dl dt dd table caption thead tbody tfoot tr th td section article
   header footer nav div span strong b em i code pre blockquote q cite small abbr time a br hr sup
   sub mark del ins figure figcaption details summary main aside address`.split(/\s+/),
);
const KEPT: Record<string, string> = {
  id: 'id',
  lang: 'lang',
  dir: 'dir',
  title: 'title',
  datetime: 'dateTime',
  colspan: 'colSpan',
  rowspan: 'rowSpan',
  scope: 'scope',
  tabindex: 'tabIndex',
  class: 'className',
  'aria-label': 'aria-label',
};
const DEPTH_MAX = 60;

type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createHTML(text: string): string },
  ): {
    createHTML(text: string): string;
  };
};

/** The one policy that the page's Trusted Types rule allows: for a parser that runs nothing. */
const inert = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(
  'troth-inert-page',
  { createHTML: (text) => text },
);

/** Parses into a document that is never shown: scripts do not run and nothing is fetched. */
export function parsePage(text: string): Element {
  // The page's own style is not wanted here; left in, the browser would report it as refused.
  const bare = text.replaceAll(/<style>[\s\S]*?<\/style>|<meta http-equiv[^>]*>/g, '');
  const page = new DOMParser().parseFromString(inert?.createHTML(bare) ?? bare, 'text/html');
  return page.querySelector('main') ?? page.body;
}

const safeAddress = (href: string) => (/^(https?:|mailto:|tel:|#|\/)/i.test(href) ? href : null);

function propsOf(element: Element): Record<string, string> {
  const props: Record<string, string> = {};
  for (const { name, value } of element.attributes) {
    const kept = KEPT[name];
    const empty = name === 'scope' && !element.textContent?.trim();
    if (kept && !empty) props[kept] = value;
  }
  const href = safeAddress(element.getAttribute('href') ?? '');
  if (href && element.localName === 'a') Object.assign(props, { href, rel: 'noreferrer' });
  return props;
}

export function nodesOf(parent: Element, depth = 0): ReactNode[] {
  if (depth > DEPTH_MAX) return [];
  return [...parent.childNodes].map((node, at): ReactNode => {
    if (node.nodeType === Node.TEXT_NODE) return insideTable(parent) ? null : node.textContent;
    if (!(node instanceof Element)) return null;
    const tag = node.localName;
    if (['script', 'style', 'template', 'link', 'meta', 'title'].includes(tag)) return null;
    const children = nodesOf(node, depth + 1);
    if (tag === 'br' || tag === 'hr') return createElement(tag, { key: at });
    const named = tag === 'th' && !node.textContent?.trim() ? 'td' : tag;
    const name = TAGS.has(tag) && tag !== 'main' ? named : Fragment;
    return createElement(
      name,
      { key: at, ...(name === Fragment ? {} : propsOf(node)) },
      ...children,
    );
  });
}

/** White space between the rows of a table is no text node that React would accept. */
const insideTable = ({ localName }: Element) =>
  ['table', 'thead', 'tbody', 'tfoot', 'tr'].includes(localName);
