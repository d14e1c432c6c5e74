/** Files: the built console, and one page for each problem code. */
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Hono } from 'hono';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { markdownToHtml } from './markdown.ts';
import { htmlPage } from './page.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
  json: 'application/json',
};
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export type FileDeps = { consoleDir: string; problemsDir: string; sdkDir: string };

/** The built clients, by the names under which pages load them. */
const CLIENTS: ReadonlySet<string> = new Set(['troth.js', 'magenta.js', 'index.js']);

/** Reads a file of one folder; anything that is not there, or climbs out of it, is undefined. */
async function fileOf(folder: string, ...names: string[]): Promise<Buffer | undefined> {
  if (!names.every((name) => NAME.test(name))) return undefined;
  const path = join(folder, ...names);
  if (!path.startsWith(folder + sep)) return undefined;
  return readFile(path).catch(() => undefined);
}

export function fileRoutes({ consoleDir, problemsDir, sdkDir }: FileDeps): Hono<Edge> {
  const routes = new Hono<Edge>();
  const nothing = () => httpProblem('not-found', 'Nothing is served at this address.');

  const send = async (cache: string, ...names: string[]): Promise<Response> => {
    const bytes = await fileOf(consoleDir, ...names);
    const type = TYPES[names.at(-1)?.split('.').at(-1) ?? ''];
    if (!bytes || !type) throw nothing();
    return new Response(new Uint8Array(bytes), {
      headers: { 'content-type': type, 'cache-control': cache },
    });
  };

  // A name under /assets holds the hash of its content, so it may be kept for ever.
  routes.get('/assets/:file', (c) =>
    send('public, max-age=31536000, immutable', 'assets', c.req.param('file')),
  );
  routes.get('/mark.svg', () => send('public, max-age=86400', 'mark.svg'));
  routes.get('/', () => send('no-cache', 'index.html'));
  routes.get('/services/:service', () => send('no-cache', 'index.html'));
  routes.get('/services/:service/:screen', () => send('no-cache', 'index.html'));

  // The one kind of file that pages of other origins load: it holds no secret and reads no cookie.
  routes.get('/sdk/:file', async (c) => {
    const file = c.req.param('file');
    const bytes = CLIENTS.has(file) ? await fileOf(sdkDir, file) : undefined;
    if (!bytes) throw nothing();
    return new Response(new Uint8Array(bytes), {
      headers: {
        'content-type': TYPES['js'] ?? '',
        'cache-control': 'public, max-age=3600',
        'cross-origin-resource-policy': 'cross-origin',
        'access-control-allow-origin': '*',
      },
    });
  });

  routes.get('/problems/:code', async (c) => {
    const code = c.req.param('code');
    const bytes = await fileOf(problemsDir, `${code}.md`);
    if (!bytes) throw nothing();
    const text = bytes.toString('utf8');
    const headers = new Headers({ 'cache-control': 'public, max-age=3600', vary: 'Accept' });
    if (c.req.header('accept')?.includes('text/html'))
      return htmlPage({ title: code, main: markdownToHtml(text), headers });
    headers.set('content-type', 'text/markdown; charset=utf-8');
    return new Response(text, { headers });
  });
  return routes;
}
