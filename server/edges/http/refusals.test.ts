/** What the operator does, and what is refused to whoever is not, as the audit log has it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Finding } from '@troth/policy-language';
import { Hono } from 'hono';
import { Word } from '#base/ids';
import { INSTALLATION, openRefusals, type RefusalLog, readAudit, STRANGER } from '#core/audit';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { answerThrown } from './answers.ts';
import type { Edge } from './edge.ts';
import { openOperator } from './operator.ts';
import { type OperatorDeps, operatorRoutes } from './operator-routes.ts';
import { siteRoutes } from './site-routes.ts';
import { operatorStore } from './store.ts';
import { operatorOnly } from './tenant-routes.ts';

let refusals: RefusalLog;
const world = useWorld({
  setUp: async ({ db, clock }) => {
    refusals = openRefusals(db, clock);
  },
});
after(() => refusals?.close());

const last = async (tenant = INSTALLATION) =>
  (await readAudit(world.db, { tenant, limit: 1_000 })).at(-1);

/** The operator's routes, for somebody who is the operator or is not. */
function door(isOperator: boolean): Hono<Edge> {
  const { db, events, policies, clock } = world;
  const recordApplied = () => async () => undefined;
  const deps = { db, events, policies, clock, log: silentLog, recordApplied, keys: {} };
  const app = new Hono<Edge>();
  app.onError(
    answerThrown({
      log: silentLog,
      recordRefusal: ({ code }, { action }) =>
        refusals.record({ tenant: INSTALLATION, actor: STRANGER, action, code: Word(code) }),
    }),
  );
  app.use(async (c, next) => {
    c.set('operator', isOperator);
    await next();
  });
  const { routes } = operatorRoutes(deps as unknown as OperatorDeps);
  if (routes) app.route('/', routes);
  const operator = openOperator(operatorStore(db), clock);
  app.route('/', siteRoutes({ operator, clock } as never));
  app.get('/v1/t/:tenant/pipeline', (c) => {
    operatorOnly(c);
    return c.json({});
  });
  return app;
}

type Refusal = { code: string; detail: string; findings: Finding[] };

const post = (app: Hono<Edge>, act: 'plan' | 'apply', body: object) =>
  app.request(`/v1/operator/policies/${act}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'other: a test', ...body }),
  });

const apply = (app: Hono<Edge>, body: object) => post(app, 'apply', body);

test('signing in and out is in the log with the act itself, and a link that was spent is refused', async () => {
  const { db, clock } = world;
  const operator = openOperator(operatorStore(db), clock);
  const link = await operator.newLink();
  const { cookie } = await operator.enter(link);
  const entered = await last();
  assert.deepEqual(
    [entered?.kind, entered?.event, entered?.actorKind, entered?.action, entered?.revision],
    ['act', 'operator.signed-in', 'operator', 'operator.sign-in', null],
  );
  await assert.rejects(operator.enter(link), { code: 'operator-link-spent' });
  assert.equal((await last())?.id, entered?.id, 'no act, no entry of one');
  await operator.leave(cookie);
  assert.equal((await last())?.event, 'operator.signed-out');
  assert.equal(await operator.knows(cookie), false);
});

test('what is refused to whoever is no operator is on record before it is answered', async () => {
  const app = door(false);
  const token = 'a'.repeat(43);
  assert.equal((await app.request(`/operator?token=${token}`)).status, 403);
  const spent = await last();
  assert.deepEqual(spent?.fields, { code: 'operator-link-spent', count: 1 });
  assert.deepEqual([spent?.actorKind, spent?.action], ['stranger', 'operator.sign-in']);
  for (let n = 0; n < 50; n += 1) {
    assert.equal((await app.request(`/v1/t/${world.tenant}/pipeline`)).status, 401);
  }
  const seen = await last();
  assert.deepEqual(seen?.fields, { code: 'operator-only', count: 1 });
  await refusals.flush(true);
  assert.deepEqual((await last())?.fields, { code: 'operator-only', count: 49 });
});

test('an apply that is refused is on record in the log of its service, with the reason', async () => {
  const app = door(true);
  const contradicting = samplePolicy(world.tenant).replace('default: off', 'default: on');
  assert.equal((await apply(app, { text: contradicting })).status, 422);
  const entry = await last(world.tenant);
  assert.deepEqual(
    [entry?.kind, entry?.action, entry?.actorKind, entry?.fields],
    ['refusal', 'policy.apply', 'operator', { code: 'policy-has-errors' }],
  );
  assert.equal((await apply(app, { text: 'no policy at all' })).status, 422);
  assert.deepEqual((await last())?.fields, { code: 'policy-has-errors' });
  const renamed = samplePolicy(world.tenant).replace('title: Sample', 'title: Other');
  assert.equal((await apply(app, { text: renamed })).status, 409);
  assert.deepEqual((await last(world.tenant))?.fields, { code: 'policy-version-reused' });
  assert.equal((await apply(app, { text: renamed, sameVersion: true })).status, 201);
});

test('a text that is no policy, or has errors, is answered with each error, to plan and to apply', async () => {
  const app = door(true);
  const text = samplePolicy(world.tenant);
  const refused = async (path: 'plan' | 'apply', body: object) => {
    const answer = await post(app, path, body);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    const { code, detail, findings } = (await answer.json()) as Refusal;
    assert.deepEqual([answer.status, code], [422, 'policy-has-errors']);
    assert.ok(!detail.includes('P9999999Y'), 'the detail repeats nothing that was sent');
    return findings;
  };
  const endless = text.replace(/retain: \w+/, 'retain: P9999999Y');
  for (const path of ['plan', 'apply'] as const) {
    const [found] = await refused(path, { text: endless });
    assert.equal(found?.line, endless.split('P9999999Y')[0]?.split('\n').length);
    assert.match(found?.message ?? '', /P9999999Y/);
    assert.match(found?.expected ?? '', /at most 100 years/);
    assert.equal(found?.example, 'P90D');
    const [none] = await refused(path, { text: '' });
    assert.deepEqual([none?.code, none?.example], ['document/empty', 'troth: 1']);
  }
  const contradicting = text.replace('default: off', 'default: on');
  const codes = (await refused('apply', { text: contradicting })).map(({ code }) => code);
  assert.ok(codes.includes('consent/default-on'), codes.join());
  const strangers = Array.from({ length: 500 }, (_, n) => `stranger${n}: 1`).join('\n');
  assert.ok((await refused('plan', { text: `${text}${strangers}` })).length <= 100);
});

test('a document is as long as the language reads it', async () => {
  const app = door(true);
  const long = `${samplePolicy(world.tenant)}# ${'x'.repeat(1_000_000)}\n`;
  assert.equal((await apply(app, { text: long, sameVersion: true })).status, 201);
  const longer = `${samplePolicy(world.tenant)}# ${'x'.repeat(5_000_000)}\n`;
  const refused = await apply(app, { text: longer });
  const { code } = (await refused.json()) as { code: string };
  assert.deepEqual([refused.status, code], [422, 'policy-has-errors']);
});
