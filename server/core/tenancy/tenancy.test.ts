import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '#testing/world';

const world = useWorld();

test('hello', async () => {
  const x = await world.inTenant(async (tx) => tx`select troth_sec.tenant() as t, current_user as u`);
  console.log(x);
  console.log(await world.events.query(`show create table tenant_${world.tenant.replace('-', '_')}.usage`));
  assert.ok(world.policies.inForce(world.tenant));
});
