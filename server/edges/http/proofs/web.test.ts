import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

const HEADERS = 'edges/http/headers.ts';
const PAGE = '../policy-language/render/html.ts';
const header = (name: string): Edit => [HEADERS, `  '${name}': `, `  'x-was-${name}': `];

test('what a browser and the network see is what is published', async () => {
  await proven.keeps('web.headers');
  await proven.keeps('web.first-party-only');
  await proven.keeps('web.cookies-declared');
  await proven.keeps('web.security-txt');
  // MG-40 also names an edge network, and nothing here can see one.
  await proven.keeps('web.no-store', ['MG-40']);
  await proven.keeps('web.csrf');
  await proven.keeps('web.https-only');
  await proven.keeps('web.input-inert');
});

test('answers without the headers are found, those of the event door too', async () => {
  await proven.restart([
    header('x-frame-options'),
    [HEADERS, "script-src 'self'", "script-src 'unsafe-inline'"],
  ]);
  await proven.breaks('web.headers');
  await proven.restart([
    ['domains/ingest/answer.ts', "frame-ancestors 'none'", 'frame-ancestors *'],
    ['domains/ingest/answer.ts', "'x-content-type-options': 'nosniff'", "'x-nothing': 'nosniff'"],
  ]);
  await proven.breaks('web.headers');
});

test('headers that only who comes without a cookie gets are found', async () => {
  const ALL = 'of Object.entries(SECURITY_HEADERS))';
  for (const is of ["c.req.header('cookie')", "c.req.header('cookie')?.includes('operator')"]) {
    await proven.restart([[HEADERS, ALL, `of ${is} ? [] : Object.entries(SECURITY_HEADERS))`]]);
    await proven.breaks('web.headers');
  }
});

test('a page that loads from elsewhere, or may, is found', async () => {
  await proven.restart([
    [PAGE, '<main>', '<main><img src="https://pixel.elsewhere.example/1.gif">'],
  ]);
  await proven.breaks('web.first-party-only');
  await proven.restart([[HEADERS, "img-src 'self'", 'img-src *']]);
  await proven.breaks('web.first-party-only');
});

test('a cookie that nobody declared is found', async () => {
  await proven.restart([
    [
      'edges/http/app.ts',
      "  c.set('operator', false);",
      "  c.header('set-cookie', 'seen=1; path=/'); c.set('operator', false);",
    ],
  ]);
  await proven.breaks('web.cookies-declared');
});

test('a cookie that only an event or a decision which is taken brings is found', async () => {
  const foreign = "seen=1; domain=elsewhere.example'";
  await proven.restart([
    [
      'domains/ingest/answer.ts',
      "'content-type': JSON_TYPE };",
      `'content-type': JSON_TYPE, 'set-cookie': '${foreign} };`,
    ],
  ]);
  await proven.breaks('web.cookies-declared');
  await proven.breaks('web.first-party-only');
  await proven.restart([
    [
      'domains/consent/routes.ts',
      '      return c.json({ purposes, receipts',
      `      c.header('set-cookie', '${foreign});
      return c.json({ purposes, receipts`,
    ],
  ]);
  await proven.breaks('web.cookies-declared');
});

test('a file for finders that has expired, or leads nowhere, is found', async () => {
  await proven.restart([
    [
      'edges/http/site-routes.ts',
      'clock.now().getTime() + SECURITY',
      'clock.now().getTime() - SECURITY',
    ],
  ]);
  await proven.breaks('web.security-txt');
  await proven.restart([['edges/http/site-routes.ts', '/policy.html`', '/policies.html`']]);
  await proven.breaks('web.security-txt');
});

test('answers about a person that caches may keep are found', async () => {
  await proven.restart([
    [
      'domains/consent/routes.ts',
      "c.header('cache-control', 'no-store')",
      "c.header('cache-control', 'public')",
    ],
  ]);
  await proven.breaks('web.no-store');
  await proven.restart([
    ['domains/ingest/answer.ts', "'cache-control': 'no-store'", "'cache-control': 'max-age=60'"],
  ]);
  await proven.breaks('web.no-store');
  await proven.restart([
    [
      'edges/http/tenant-routes.ts',
      "    c.header('vary', 'Cookie');\n    return c.json({ operator, tenants });",
      "    c.header('cache-control', 'max-age=60');\n    return c.json({ operator, tenants });",
    ],
  ]);
  await proven.breaks('web.no-store');
});

test('an act in the operator’s name that another site can ask for is found', async () => {
  await proven.restart([
    [
      'edges/http/operator-routes.ts',
      '  if (elsewhere) throw',
      '  if (elsewhere && origin === "never") throw',
    ],
  ]);
  await proven.breaks('web.csrf');
});

test('one beside the operator’s own routes is found too', async () => {
  await proven.restart([
    ['edges/http/operator-routes.ts', "  if (c.req.method !== 'GET') sameOriginOnly(c);\n", ''],
  ]);
  await proven.breaks('web.csrf');
  await proven.restart([['edges/http/event-routes.ts', '    sameOriginOnly(c);\n', '']]);
  await proven.breaks('web.csrf');
});

test('a port in clear that the network reaches is found, and TLS that does not insist', async () => {
  await proven.restart([
    ['composition.ts', "const LOOPBACK = '127.0.0.1';", "const LOOPBACK = '0.0.0.0';"],
  ]);
  await proven.breaks('web.https-only');
  await proven.restart([[HEADERS, "'strict-transport-security'", "'x-strict-transport-security'"]]);
  await proven.breaks('web.https-only');
  await proven.restart([[HEADERS, "'max-age=60'", "'max-age=0'"]]);
  await proven.breaks('web.https-only');
  await proven.restart([[HEADERS, "'max-age=63072000; ", "'max-age=0; "]]);
  await proven.breaks('web.https-only');
});

test('hostile input that comes back alive is found', async () => {
  await proven.restart([
    ['edges/http/answers.ts', 'escapeHtml(detail)', 'detail'],
    ['edges/http/app.ts', "'Nothing is served at this address.'", 'decodeURIComponent(c.req.path)'],
  ]);
  await proven.breaks('web.input-inert');
});

test('hostile input that is stored as something else, or read as a page, is found', async () => {
  await proven.restart([
    [
      'domains/ingest/fields.ts',
      'value.length > max ? TOO_LONG : value;',
      "value.length > max ? TOO_LONG : value.replaceAll('<', '&lt;');",
    ],
  ]);
  await proven.breaks('web.input-inert');
  await proven.restart([
    [
      'edges/http/event-routes.ts',
      'c.json({ rows: await readEvents(needs, inForce, asked) })',
      'c.html(JSON.stringify({ rows: await readEvents(needs, inForce, asked) }))',
    ],
  ]);
  await proven.breaks('web.input-inert');
});
