import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { movableClock } from '#base/clock';
import type { Problem } from '#base/problem';
import type { Evidence } from '#oversight/evidence';
import { answerProblem } from './answers.ts';
import type { Edge } from './edge.ts';
import { evidenceRoutes } from './evidence-routes.ts';

const endless = {
  async *prove() {
    await new Promise(() => undefined);
  },
} as unknown as Evidence;

function app() {
  const services = { list: () => [], get: () => undefined };
  const clock = movableClock(new Date());
  const { routes } = evidenceRoutes({
    evidence: endless,
    services,
    clock,
    report: () => Promise.reject(new Error('not asked for here')),
  });
  const mounted = new Hono<Edge>();
  mounted.onError((error, c) => answerProblem(c, error as Problem));
  mounted.use(async (c, next) => {
    c.set('operator', true);
    await next();
  });
  if (routes) mounted.route('/', routes);
  return mounted;
}

const ask = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

test('a third round of proofs beside two that run is told to wait', async () => {
  const server = app();
  const first = await server.request('/v1/operator/prove', ask({}));
  const second = await server.request('/v1/operator/prove', ask({}));
  assert.deepEqual([first.status, second.status], [200, 200]);
  const third = await server.request('/v1/operator/prove', ask({}));
  assert.equal(third.status, 503);
  assert.equal(((await third.json()) as { code: string }).code, 'proofs-running');
});

test('a service or a promise that nobody has is not proven in silence', async () => {
  const tenant = await app().request('/v1/operator/prove', ask({ tenant: 'nobody' }));
  assert.equal(tenant.status, 404);
  const promise = await app().request('/v1/operator/prove', ask({ promise: 'XX-99' }));
  assert.equal(promise.status, 404);
  const wrong = await app().request('/v1/operator/prove', ask({ surprise: 1 }));
  assert.equal(wrong.status, 422);
});
