import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { controlCatalogue, policyHash, readPolicy } from '@troth/policy-language';
import { Hono } from 'hono';
import { movableClock } from '#base/clock';
import { TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import { openDataMap, openPipelineWatch, openPromises } from '#oversight/evidence';
import { openLog } from '#platform/log';
import { type AppDeps, createApp } from './app.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { markdownToHtml } from './markdown.ts';
import { operationsOf } from './open-api.ts';
import { openOperator } from './operator.ts';
import { type OperatorDeps, operatorRoutes } from './operator-routes.ts';
import { memoryOperatorStore } from './store.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const ADA = 'ada@example.org';
const clock = movableClock(new Date('2026-03-02T12:00:00Z'));

function consoleFiles(): string {
  const dir = mkdtempSync(join(tmpdir(), 'console-http-'));
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>Troth</title>');
  writeFileSync(join(dir, 'assets', 'index-abc.js'), 'export {}');
  writeFileSync(join(dir, 'secret.txt'), 'nobody serves this');
  return dir;
}

const failing = new Hono()
  .get('/v1/t/:tenant/bug', () => {
    throw new TypeError(`cannot read property of ${ADA}`);
  })
  .get('/v1/t/:tenant/busy', () => {
    const type = { status: 429, title: 'Too many' };
    throw new Problem('too-many', type, 'Later.', { retryAfterSeconds: 7 });
  })
  .post('/v1/t/:tenant/echo', async (c) => c.json((await c.req.text()).length));

function open(changes: Partial<AppDeps> = {}) {
  const file = join(ROOT, 'policies', 'clanker.yaml');
  const { policy } = readPolicy(readFileSync(file, 'utf8'), { file });
  assert.ok(policy);
  const tenant = TenantId('clanker');
  const hash = policyHash(policy);
  const prose = 'One\nTwo';
  const given = { tenant, revision: 3, hash, policy, prose, findings: [] } as const;
  const service = { ...given, appliedAt: new Date(0) };
  const get = (id: string) => (id === 'clanker' ? service : undefined);
  const services = { list: () => [service], get };
  const lines: string[] = [];
  const operator = openOperator(memoryOperatorStore(), clock);
  const inbox = { rows: 0, lagMs: null, stuck: [] };
  const empty = { received: 0, accepted: 0, verification: 0, steps: [], drops: [], inbox };
  const deps: AppDeps = {
    services,
    operator,
    clock,
    log: openLog((line) => lines.push(line)),
    version: '0.1.0',
    promises: openPromises({
      catalogue: controlCatalogue,
      built: new Set(),
      proven: new Set(),
      clock,
      staleMs: 1,
      last: () => undefined,
    }),
    dataMap: openDataMap({ counters: [async () => new Map()], clock, jobs: [] }),
    pipeline: openPipelineWatch({
      counters: { snapshot: () => empty, reasons: {} },
      tenants: () => [tenant],
      clock,
      tick: () => () => {},
    }),
    renderPolicy: (_, format) =>
      format === 'html' ? '<!doctype html><style>p{}</style><main><p>Text</p></main>' : '# Text',
    ready: async () => ({ database: true }),
    gpcSince: '2026-01-01',
    securityContacts: ['mailto:security@example.org'],
    consoleDir: consoleFiles(),
    problemsDir: join(ROOT, 'docs', 'problems'),
    sdkDir: join(ROOT, 'sdk', 'dist'),
    domains: [{ name: 'failing', routes: failing }],
    hosts: ['localhost'],
    ...changes,
  };
  const app = createApp(deps);
  const enter = async () => {
    const token = await operator.newLink();
    const answer = await app.request(`/operator?token=${token}`);
    return { token, cookie: answer.headers.getSetCookie()[0] ?? '' };
  };
  return { app, lines, enter, deps };
}

type Answered = {
  promises: unknown[];
  counts: unknown;
  hash: string;
  revision: number;
  policy: { compiled?: unknown };
  lines: string[];
  operator: boolean;
  tenants: { flow?: unknown }[];
  paths: Record<string, { get: { summary: string } }>;
  info: { version: string };
};
const json = async (answer: Response | Promise<Response>) =>
  (await (await answer).json()) as Answered;

const code = async (answer: Response) => {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  return ((await answer.json()) as { code: string }).code;
};

test('every answer carries the security headers, whatever it answers', async () => {
  const { app } = open();
  const paths = app.routes
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => path.replace(':tenant', 'clanker').replaceAll(/:[a-z]+/g, 'x'));
  for (const path of [...paths, '/nowhere', '/v1/t/nobody/promises']) {
    const { headers } = await app.request(path);
    for (const name of Object.keys(SECURITY_HEADERS))
      assert.ok(headers.has(name), `${path} ${name}`);
    const policy = headers.get('content-security-policy') ?? '';
    assert.doesNotMatch(policy, /unsafe|\*|https?:/, path);
    assert.match(headers.get('vary') ?? '', /Sec-GPC/, path);
    assert.equal(headers.get('strict-transport-security'), null, path);
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/, path);
  }
});

test('over TLS browsers are told never to come back in clear', async () => {
  const { app } = open({ hosts: [] });
  const strict = async (host: string) =>
    (await app.request(`https://${host}/healthz`)).headers.get('strict-transport-security');
  assert.match((await strict('troth.example')) ?? '', /max-age=63072000/);
  assert.equal(await strict('localhost:8788'), 'max-age=60');
});

test('a defect answers internal with an id, and says nothing of what it met', async () => {
  const { app, lines } = open();
  const answer = await app.request('/v1/t/clanker/bug');
  const body = await answer.clone().text();
  assert.equal(answer.status, 500);
  assert.equal(await code(answer), 'internal');
  assert.doesNotMatch(body + lines.join(''), /ada@|TypeError|property/);
  const { request } = JSON.parse(body) as { request: string };
  assert.match(lines.join(''), new RegExp(`bug.seen.*${request}`));
});

test('a problem keeps its status, its code and the time after which to try again', async () => {
  const answer = await open().app.request('/v1/t/clanker/busy');
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '7');
  assert.equal(await code(answer), 'too-many');
});

test('an unknown address, service or method is refused each in its own words', async () => {
  const { app } = open();
  assert.equal(await code(await app.request('/nowhere')), 'not-found');
  assert.equal(await code(await app.request('/v1/t/nobody/promises')), 'no-such-tenant');
  const refused = await app.request('/v1/t/clanker/promises', { method: 'DELETE' });
  assert.equal(refused.headers.get('allow'), 'GET');
  assert.equal(await code(refused), 'method-not-allowed');
});

test('a page of another site cannot reach the server under a name of its own', async () => {
  const answer = await open().app.request('http://attacker.example/v1/tenants');
  assert.equal(answer.status, 421);
  assert.equal(await code(answer), 'host-not-known');
});

test('a body over the limit is refused unread', async () => {
  const { app } = open();
  const big = { method: 'POST', body: 'x'.repeat(300_000) };
  assert.equal(await code(await app.request('/v1/t/clanker/echo', big)), 'request-too-large');
});

test('promises, policy, prose and findings are public; the policy comes with its hash', async () => {
  const { app, deps } = open();
  const promises = await json(app.request('/v1/t/clanker/promises'));
  assert.equal(promises.promises.length, 77);
  assert.deepEqual(promises.counts, { kept: 0, broken: 0, gap: 77, attested: 0 });

  const answer = await app.request('/v1/t/clanker/policy');
  const { hash, revision, policy } = await json(answer);
  assert.deepEqual([hash, revision], [deps.services.get('clanker')?.hash, 3]);
  assert.equal(policy.compiled, undefined);
  const again = { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } };
  assert.equal((await app.request('/v1/t/clanker/policy', again)).status, 304);
  assert.deepEqual((await json(app.request('/v1/t/clanker/prose'))).lines, ['One', 'Two']);
  assert.equal((await app.request('/v1/t/clanker/findings')).status, 200);
});

test('a policy without its published text says so', async () => {
  const { deps } = open();
  const [service] = deps.services.list();
  assert.ok(service);
  const silent = { ...service, prose: undefined };
  const { app } = open({ services: { list: () => [silent], get: () => silent } });
  assert.equal(await code(await app.request('/v1/t/clanker/prose')), 'prose-missing');
});

test('the rendered policy may use its own style, by hash, and no other', async () => {
  const answer = await open().app.request('/v1/t/clanker/policy.html');
  assert.match(answer.headers.get('content-security-policy') ?? '', /style-src 'self' 'sha256-/);
});

test('live figures want an operator, and an operator’s link works once', async () => {
  const { app, enter } = open();
  for (const path of ['/pipeline', '/pipeline/stream']) {
    const answer = await app.request(`/v1/t/clanker${path}`);
    assert.equal(answer.status, 401);
    assert.equal(await code(answer), 'operator-only');
  }
  const { token, cookie } = await enter();
  assert.match(cookie, /^troth_operator=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const again = await app.request(`/operator?token=${token}`);
  assert.equal(again.status, 403);
  assert.equal(await code(again), 'operator-link-spent');

  const headers = { cookie: cookie.split(';')[0] ?? '' };
  assert.equal((await app.request('/v1/t/clanker/pipeline', { headers })).status, 200);
  const tenants = await json(app.request('/v1/tenants', { headers }));
  assert.ok(tenants.operator && tenants.tenants[0]?.flow);
  const strangers = await json(app.request('/v1/tenants'));
  assert.equal(strangers.tenants[0]?.flow, undefined);
});

const keyring: OperatorDeps['keys'] = {
  status: async () => ({ epochs: 1 }),
  rotate: async () => ({ epochs: 2 }),
  recoveryKit: async () => ({ kit: 'kit', lines: ['kit'] }),
};

/** No route of these tests reaches an engine; one that did would fail here. */
const noEngines = { keys: keyring, clock } as unknown as OperatorDeps;

test('the operator’s acts want an operator, and JSON that a form cannot send', async () => {
  const { app, enter } = open({ domains: [operatorRoutes(noEngines)] });
  const acts = app.routes
    .filter(
      ({ path, method }) => /^.v1.operator.(policies|keys)..*[a-z]$/.test(path) && method !== 'ALL',
    )
    .map(({ path, method }) => ({ path, method }));
  assert.ok(acts.length >= 5);
  for (const { path, method } of acts)
    assert.equal(await code(await app.request(path, { method })), 'operator-only', path);

  const cookie = (await enter()).cookie.split(';')[0] ?? '';
  const body = JSON.stringify({ text: 'troth: 1' });
  const apply = (type: string) =>
    app.request('/v1/operator/policies/apply', {
      method: 'POST',
      body,
      headers: { cookie, 'content-type': type },
    });
  assert.equal(await code(await apply('text/plain')), 'body-not-understood');
  const headers = { cookie };
  assert.equal((await app.request('/v1/operator/keys/status', { headers })).status, 200);
});

test('a session ends when it is left, and by itself after twelve hours', async () => {
  const { app, enter } = open();
  const headers = { cookie: (await enter()).cookie.split(';')[0] ?? '' };
  await app.request('/v1/operator/leave', { method: 'POST', headers });
  assert.equal((await app.request('/v1/t/clanker/pipeline', { headers })).status, 401);

  const later = { cookie: (await enter()).cookie.split(';')[0] ?? '' };
  clock.advance(12 * 3_600_000 + 1);
  assert.equal((await app.request('/v1/t/clanker/pipeline', { headers: later })).status, 401);
});

test('a preview of the operator’s link does not spend it', async () => {
  const { app, deps } = open();
  const token = await deps.operator.newLink();
  await app.request(`/operator?token=${token}`, { method: 'HEAD' });
  assert.equal((await app.request(`/operator?token=${token}`)).status, 200);
});

test('a stream tells the whole pipeline at once, and no more than 64 are open', async () => {
  const { app, enter } = open();
  const headers = { cookie: (await enter()).cookie.split(';')[0] ?? '' };
  const streams: ReadableStreamDefaultReader<Uint8Array>[] = [];
  for (let opened = 0; opened < 64; opened++) {
    const answer = await app.request('/v1/t/clanker/pipeline/stream', { headers });
    assert.ok(answer.body);
    streams.push(answer.body.getReader());
  }
  const first = new TextDecoder().decode((await streams[0]?.read())?.value);
  assert.match(first, /^event: pipeline\ndata: \{"at":/);
  const refused = await app.request('/v1/t/clanker/pipeline/stream', { headers });
  assert.equal(await code(refused), 'streams-exhausted');
  await Promise.all(streams.map((stream) => stream.cancel()));
  const answer = await app.request('/v1/t/clanker/pipeline/stream', { headers });
  assert.equal(answer.status, 200);
  await answer.body?.cancel();
});

test('readiness names the part that is missing', async () => {
  assert.equal((await open().app.request('/readyz')).status, 200);
  const { app } = open({ ready: async () => ({ database: true, events: false }) });
  const answer = await app.request('/readyz');
  assert.equal(answer.status, 503);
  assert.match(await answer.clone().text(), /Waiting for events/);
  assert.equal(await code(answer), 'not-ready');
});

test('while the database is away no answer is internal, and what needs none is served', async () => {
  const gone = () => Promise.reject(Object.assign(new Error('x'), { code: 'CONNECTION_CLOSED' }));
  const store = { ...memoryOperatorStore(), sessionLives: gone };
  const { app, lines } = open({
    operator: openOperator(store, clock),
    ready: async () => ({ postgresql: false, keeper: true }),
    dataMap: gone,
  });
  const headers = { cookie: `troth_operator=${'a'.repeat(43)}` };
  const ready = await app.request('/readyz', { headers });
  assert.equal(ready.status, 503);
  assert.match(await ready.clone().text(), /Waiting for postgresql\./);
  assert.equal(await code(ready), 'not-ready');
  assert.equal((await app.request('/v1/t/clanker/policy', { headers })).status, 200);
  for (const [path, sent] of [
    ['/v1/t/clanker/data-map', {}],
    ['/v1/t/clanker/data-map', headers],
    ['/v1/t/clanker/pipeline', headers],
  ] as const) {
    const answer = await app.request(path, { headers: sent });
    assert.equal(answer.status, 503, path);
    assert.equal(answer.headers.get('retry-after'), '2');
    assert.equal(await code(answer), 'database-unavailable');
  }
  // Without a session to look up, a stranger is a stranger.
  assert.equal((await app.request('/v1/t/clanker/pipeline')).status, 401);
  assert.deepEqual(lines, []);
});

test('the well-known files say what their standards ask', async () => {
  const { app } = open();
  const gpc = await json(app.request('/.well-known/gpc.json'));
  assert.deepEqual(gpc, { gpc: true, lastUpdate: '2026-01-01' });
  const text = await (await app.request('/.well-known/security.txt')).text();
  assert.match(text, /^Contact: mailto:security@example\.org$/m);
  assert.match(text, /^Expires: 2026-\d\d-\d\dT00:00:00Z$/m);
});

test('every route of the API is described, each with a summary', async () => {
  const { app, deps } = open({ domains: [] });
  assert.deepEqual(
    operationsOf(app, []).filter(({ summary }) => !summary),
    [],
  );
  const api = await json(app.request('/openapi.json'));
  assert.ok(api.paths['/v1/t/{tenant}/promises']?.get.summary);
  assert.equal(api.info.version, deps.version);
});

test('hashed files are kept for ever, pages are asked again, and nothing else is served', async () => {
  const { app } = open();
  const cacheOf = async (path: string) => (await app.request(path)).headers.get('cache-control');
  assert.match((await cacheOf('/assets/index-abc.js')) ?? '', /immutable/);
  assert.equal(await cacheOf('/services/clanker/promises'), 'no-cache');
  for (const path of ['/secret.txt', '/assets/..%2fsecret.txt', '/assets/%2e%2e/secret.txt'])
    assert.equal((await app.request(path)).status, 404, path);
});

test('each problem has a page, for people as HTML and for others as it was written', async () => {
  const { app } = open();
  const html = { headers: { accept: 'text/html' } };
  const page = await (await app.request('/problems/operator-only', html)).text();
  assert.match(page, /<h1>This is for the operator<\/h1>/);
  assert.match(page, /<li>Open the operator/);
  assert.match(await (await app.request('/problems/internal')).text(), /^# Something went wrong/);
  assert.equal(await code(await app.request('/problems/..%2freadme')), 'not-found');
});

test('Markdown cannot smuggle markup into a page', () => {
  const page = markdownToHtml('# A <b>\n\n[x](javascript:alert(1)) `<i>`\n\n- one\n- **two**');
  assert.doesNotMatch(page, /<b>|<i>|href="javascript/);
  assert.match(page, /<ul><li>one<\/li><li><strong>two<\/strong><\/li><\/ul>/);
});

test('pages of other origins may load the client, and nothing beside it in its folder', async () => {
  const { app } = open();
  const client = await app.request('/sdk/magenta.js');
  if (client.status === 200) {
    assert.equal(client.headers.get('cross-origin-resource-policy'), 'cross-origin');
  }
  assert.equal((await app.request('/sdk/.built-from')).status, 404);
  assert.equal((await app.request('/sdk/..%2fpackage.json')).status, 404);
});
