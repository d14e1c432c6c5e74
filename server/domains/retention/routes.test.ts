import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Hono } from 'hono';
import { Problem } from '#base/problem';
import { ruleIn } from '#domains/ingest';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { openRetention, type Retention, retentionRoutes } from './index.ts';

let retention: Retention;
let routes: Hono;
const world = useWorld({
  policies: [
    (service) =>
      samplePolicy(service).replace(
        'retain: P90D',
        'retain: P90D\n    retain-options: { enterprise: P1Y }',
      ),
  ],
  async setUp({ db, events, policies, clock, operator }) {
    const people = {
      hidden: { refresh: async () => undefined, has: () => false },
      agreed: async () => new Set<never>(),
    };
    const deps = { db, events, policies, clock, log: silentLog, stores: [], chores: [] };
    retention = await openRetention(deps, ruleIn);
    routes = retentionRoutes({ retention, policies, people, authenticate: () => operator });
    routes.onError((thrown, c) => {
      if (!(thrown instanceof Problem)) throw thrown;
      return c.json(thrown.toJSON(), thrown.status as 400);
    });
  },
});
after(() => retention?.close());

async function ask(path: string, body?: unknown) {
  const answer = await routes.request(`/v1/t/${world.tenant}/retention${path}`, {
    ...(body === undefined
      ? {}
      : {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test('what holds, what was chosen and what was swept is shown', async () => {
  await retention.sweep(world.tenant);
  const chosen = await ask('/usage', { choice: 'enterprise' });
  assert.equal(chosen.status, 200);
  assert.deepEqual((chosen.body['limits'] as { totalMs: number }).totalMs, 365 * 86_400_000);
  const { body } = await ask('');
  const types = (body['data'] as { dataType: string }[]).map(({ dataType }) => dataType);
  assert.deepEqual(types, ['usage', 'page-views']);
  assert.ok(((await ask('/sweeps')).body['sweeps'] as unknown[]).length > 0);
});

test('a choice that cannot be read, or is not offered, changes nothing', async () => {
  for (const body of ['{', {}, { choice: 7 }, { choice: 'P1Y', region: 'eu' }, { choice: '' }]) {
    assert.equal((await ask('/usage', body)).body['code'], 'retention-body-broken');
  }
  assert.equal((await ask('/Usage', { choice: 'P1Y' })).body['code'], 'retention-body-broken');
  for (const [type, choice] of [
    ['usage', 'P2Y'],
    ['page-views', 'P1D'],
    ['constructor', 'P1D'],
  ]) {
    const { status, body } = await ask(`/${type}`, { choice });
    assert.deepEqual([status, body['code']], [422, 'retention-not-chosen']);
  }
  const archive = await ask('/usage/archive?purpose=statistics&from=yesterday');
  assert.equal(archive.body['code'], 'retention-body-broken');
  const none = await ask('/usage/archive?purpose=statistics');
  assert.equal(none.body['code'], 'data-not-archived');
});
