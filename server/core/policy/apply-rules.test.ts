/** What an apply has to wait for, and what it may not be called. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Day } from '#base/ids';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { applyPolicy, listRevisions, type PolicyDraft } from './index.ts';

const more = 'changes: { material-notice: P30D, channels: [email] }\n';
const world = useWorld({
  start: new Date('2026-03-02T12:00:00Z'),
  policies: [(service) => samplePolicy(service, { more })],
});
const document = (version: string, retain = 'P90D') =>
  samplePolicy(world.tenant, { retain, more }).replace('version: 1.0.0', `version: ${version}`);
const apply = (text: string, given: Partial<PolicyDraft> = {}) => {
  const now = world.clock.now();
  const draft = { text, file: 'sample.yaml', actor: world.operator, now, ...given };
  return applyPolicy(world.db, world.events, draft);
};
const revisions = async () => (await listRevisions(world.db, world.tenant)).length;

test('a material change waits for its notice, and the refusal names the first permitted day', async () => {
  const longer = document('1.1.0', 'P120D');
  await assert.rejects(apply(longer), {
    code: 'policy-notice-not-run',
    detail: 'The change is material. It may take effect on 2026-04-01, if people are told today.',
    fields: { earliest: '2026-04-01' },
  });
  for (const [noticeGiven, earliest] of [
    ['2026-03-01', '2026-03-31'],
    ['2026-02-01', '2026-03-03'],
    ['2027-01-01', '2027-01-31'],
  ] as const) {
    const given = { noticeGiven: Day(noticeGiven) };
    await assert.rejects(apply(longer, given), { fields: { earliest } }, noticeGiven);
  }
  assert.equal(await revisions(), 1, 'and nothing was applied');
  const applied = await apply(longer, { noticeGiven: Day('2026-01-31') });
  assert.deepEqual(
    [applied.changed, applied.plan.material, applied.noticeGiven],
    [true, true, '2026-01-31'],
  );
});

test('the notice is the one that was promised, not the one that would replace it', async () => {
  const shorter = document('1.2.0', 'P150D').replace('P30D, channels', 'P0D, channels');
  await assert.rejects(apply(shorter), { code: 'policy-notice-not-run' });
});

test('what takes nothing from anybody needs no notice', async () => {
  assert.equal((await apply(document('1.3.0', 'P60D'))).changed, true);
});

test('one version is one document, unless the operator says that the same one is meant', async () => {
  const other = document('1.3.0', 'P50D');
  await assert.rejects(apply(other), { code: 'policy-version-reused' });
  const older = document('1.1.0', 'P50D');
  await assert.rejects(apply(older), { code: 'policy-version-reused' }, 'a version of before');
  assert.equal((await apply(document('1.3.0', 'P60D'))).changed, false, 'the very same');
  assert.equal((await apply(other, { sameVersion: true })).changed, true);
});
