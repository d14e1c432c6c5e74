/** The few pages that the server writes itself, readable without a script. */
import { createHash } from 'node:crypto';
import { escapeHtml } from '@troth/policy-language';
import { contentSecurityPolicy } from './headers.ts';

const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf6; --ink: #1d1c19; --line: #e3dfd3; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #131411; --ink: #e9e6dc; --line: #2f312b; }
}
html { background: var(--paper); color: var(--ink); }
body { font: 1.0625rem/1.6 "Iowan Old Style", "Palatino Linotype", P052, serif; margin: 0; }
main, body > article { margin: 0 auto; max-width: 46rem; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; font-weight: 400; line-height: 1.2; }
h2 { border-top: 1px solid var(--line); font-size: 1.25rem; margin-top: 2rem; padding-top: 1rem; }
a { color: inherit; text-underline-offset: 0.2em; }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.875em; }
code, td, th { overflow-wrap: anywhere; }
pre { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.4rem 1rem 0.4rem 0; text-align: left;
  vertical-align: top; }
@media print { html { background: none; color: #000; } main { max-width: none; padding: 0; } }
`;

const hashOf = (style: string) =>
  `sha256-${createHash('sha256').update(style, 'utf8').digest('base64')}`;
const STYLE_HASH = hashOf(STYLE);

type Page = { title: string; main: string; status?: number; headers?: Headers };

/** @param page.main  Markup made here, with every foreign text escaped. */
export function htmlPage({ title, main, status = 200, headers = new Headers() }: Page): Response {
  headers.set('content-type', 'text/html; charset=utf-8');
  headers.set('content-security-policy', contentSecurityPolicy(STYLE_HASH));
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Troth</title><style>${STYLE}</style></head>
<body><main>${main}</main></body>
</html>
`;
  return new Response(body, { status, headers });
}

/** Sends a whole page that another part made, allowing the one style that it carries, by hash. */
export function foreignPage(markup: string, headers: Headers): Response {
  const style = /<style>([\s\S]*?)<\/style>/.exec(markup)?.[1];
  headers.set('content-type', 'text/html; charset=utf-8');
  headers.set('content-security-policy', contentSecurityPolicy(style && hashOf(style)));
  return new Response(markup, { headers });
}
