/** An installation that gets new code under the same policies: what purposes see is what it makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** As if an earlier version had shown the ciphertext. */
const EARLIER: Edit = [
  'core/tenancy/purpose-views.ts',
  "new Set(['sealed', 'batch'])",
  "new Set(['batch'])",
];

async function viewsWith(column: string): Promise<number> {
  const [row] = await proven.events.query<{ n: string }>(
    `select uniq(database, table) as n from system.columns
     where startsWith(database, 'purpose_') and name = {column:String}`,
    { column },
  );
  return Number(row?.n);
}

const mended = () => proven.server.log().split('"purposes.mended"').length - 1;

test('views that an earlier version made are made anew at the first start of the next, and then left alone', async () => {
  await proven.restart([EARLIER]);
  const views = await viewsWith('received_at');
  assert.ok(views > 20);
  assert.equal(await viewsWith('sealed'), views);
  assert.equal(mended(), 0, 'an apply leaves nothing to mend');

  await proven.restart();
  assert.equal(await viewsWith('sealed'), 0);
  assert.equal(await viewsWith('received_at'), views);
  assert.equal(mended(), 5, 'each service once');

  await proven.restart();
  assert.equal(mended(), 5, 'what stands is left alone');
});
