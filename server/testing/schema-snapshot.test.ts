import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSnapshot, readSnapshot } from './schema-snapshot.ts';

test('the committed schema is what the migrations add up to', async () => {
  const built = await buildSnapshot();
  assert.equal(readSnapshot(), built, 'run: node server/testing/schema-snapshot.ts');
});
