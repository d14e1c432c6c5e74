/** Comparing revisions: what a plan says, and when people must be told first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffPolicies, planChange, rowsToCount } from '@troth/policy-language';
import fc from 'fast-check';
import { policyOf, SOUND, spoilt } from '#language/testing/documents';

const sound = policyOf(SOUND);
const now = new Date('2026-03-01T00:00:00Z');

test('a policy compared with itself has no difference and nothing to do', () => {
  assert.deepEqual(diffPolicies(sound, policyOf(SOUND)).changes, []);
  const plan = planChange(sound, policyOf(SOUND), { now });
  assert.deepEqual([plan.steps, plan.material], [[], false]);
});

test('a moved promise is no difference', () => {
  const second = '  - { id: SA-02, says: x, line: 2, config: title }\n';
  const [head = '', row = ''] = SOUND.split('promises:\n');
  const a = policyOf(`${head}promises:\n${row}${second}`);
  const b = policyOf(`${head}promises:\n${second}${row}`);
  assert.deepEqual(diffPolicies(a, b).changes, []);
});

test('a difference is one line that says old and new', () => {
  const { lines } = diffPolicies(sound, policyOf(spoilt('P90D', 'P60D')));
  assert.deepEqual(lines, ['~ data.commands.retain: P90D → P60D']);
});

const days = fc.integer({ min: 1, max: 400 });

test('differences turn around when the sides do', () => {
  fc.assert(
    fc.property(days, days, (a, b) => {
      const left = policyOf(spoilt('P90D', `P${a}D`));
      const right = policyOf(spoilt('P90D', `P${b}D`));
      const there = diffPolicies(left, right).changes;
      const back = diffPolicies(right, left).changes;
      assert.deepEqual(
        back,
        there.map(({ path, kind, from, to }) => ({ path, kind, from: to, to: from })),
      );
    }),
    { numRuns: 25 },
  );
});

test('the first plan brings tables, grants and limits, and is nobody’s loss', () => {
  const plan = planChange(undefined, sound, { now });
  assert.equal(plan.material, false);
  assert.deepEqual(
    plan.steps.filter(({ name }) => name === 'commands').map(({ text }) => text),
    [
      'table commands: create with tool, email',
      'grant: security-monitoring may read commands',
      'limit: commands 90 days',
    ],
  );
});

test('a shorter limit says how many rows it deletes, and needs no notice', () => {
  const next = policyOf(spoilt('P90D', 'P60D'));
  assert.deepEqual(rowsToCount(sound, next, now), [
    { data: 'commands', cutoff: new Date('2025-12-31T00:00:00Z') },
  ]);
  const plan = planChange(sound, next, { now, rowsOlderThan: () => 17 });
  assert.deepEqual([plan.rowsDeleted, plan.material, plan.earliest], [17, false, '2026-01-01']);
  assert.match(plan.steps[0]?.text ?? '', /90 days → 60 days; deletes 17 rows/);
});

test('a longer limit is material and waits for the notice that was promised', () => {
  const next = policyOf(
    spoilt(
      'P90D',
      'P120D',
      spoilt('P30D }', 'P1D }', spoilt('material-notice: P30D', 'material-notice: P1D')),
    ),
  );
  const plan = planChange(sound, next, { now });
  assert.equal(plan.material, true);
  assert.equal(plan.earliest, '2026-03-31');
  assert.ok(plan.reasons.some((reason) => reason.includes('120 days')));
});

test('a new reader, a new field and a new recipient are each material', () => {
  for (const [from, to] of [
    ['purposes: [security-monitoring]', 'purposes: [security-monitoring, research]'],
    ['tool: string(64)', 'tool: string(64)\n      page: string(64)'],
    ['rights:', 'recipients: { host: { title: Host, role: processor } }\nrights:'],
  ] as const) {
    assert.equal(planChange(sound, policyOf(spoilt(from, to)), { now }).material, true, to);
  }
});

test('what no step speaks of is told as it is, and what a step says is not told twice', () => {
  const told = (from: string, to: string) => planChange(sound, policyOf(spoilt(from, to))).texts;
  assert.deepEqual(told('title: Sample', 'title: Other'), ['~ title: Sample → Other']);
  assert.deepEqual(told('1.0.0', '1.0.1'), ['~ version: 1.0.0 → 1.0.1']);
  assert.deepEqual(told('P90D', 'P60D'), []);
  assert.deepEqual(told('tool: string(64)', 'tool: string(32)'), []);
  assert.match(told('event-names: [command]', 'event-names: [other]').join(), /event-names/);
  assert.deepEqual(planChange(undefined, sound).texts, []);
});

test('a new title or version tells nobody anything', () => {
  for (const [from, to] of [
    ['title: Sample', 'title: Other'],
    ['1.0.0', '1.0.1'],
  ] as const) {
    assert.equal(planChange(sound, policyOf(spoilt(from, to)), { now }).material, false, to);
  }
});
