import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyId, TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import { INSTALLATION } from '#core/audit';
import type { Policies } from '#core/policy';
import type { WriteKey } from '#domains/ingest';
import { refusalOf } from './refusals.ts';

const shop = TenantId('shop');
const policies = {
  find: (tenant: string) => (tenant === shop ? { tenant: shop } : undefined),
} as unknown as Policies;
const problem = (status: number) => new Problem('some-code', { status, title: '' }, '');
const key = { id: KeyId('someKey1'), tenant: shop } as WriteKey;
const action = 'event.ingest';

test('a refusal of leave is recorded; what could not be read or came at a bad moment is not', () => {
  const recorded = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503].filter((status) =>
    refusalOf(policies, problem(status), { key, tenant: shop, action }),
  );
  assert.deepEqual(recorded, [401, 403, 429]);
});

test('a genuine key answers for itself, in the log of its own service', () => {
  const told = refusalOf(policies, problem(429), { key, tenant: 'elsewhere', action });
  assert.deepEqual(told, {
    tenant: shop,
    action,
    code: 'some-code',
    actor: { kind: 'write-key', id: 'someKey1', tenant: shop },
  });
});

test('names of services that a stranger makes up open no log', () => {
  const logOf = (tenant: string | undefined) =>
    refusalOf(policies, problem(401), { key: undefined, tenant, action })?.tenant;
  assert.equal(logOf('shop'), shop);
  for (const made of [undefined, '', 'nobody', '__proto__', 'x'.repeat(9_999)]) {
    assert.equal(logOf(made), INSTALLATION);
  }
});
