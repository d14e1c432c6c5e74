import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking } from './readiness.ts';

test('an engine that is silent is not ready, and is asked again only when it has answered', async () => {
  const asked = [Promise.withResolvers<void>()];
  let times = 0;
  const isThere = asking(() => {
    times += 1;
    return asked[times - 1]?.promise ?? Promise.reject(new Error('away'));
  }, 20);
  assert.equal(await isThere(), false);
  assert.equal(await isThere(), false);
  assert.equal(times, 1);
  asked[0]?.resolve();
  assert.equal(await isThere(), true);
  assert.equal(await isThere(), false);
  assert.equal(times, 2);
});
