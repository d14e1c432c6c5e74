import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPolicy, lint, readPolicy } from '@troth/policy-language';
import fc from 'fast-check';
import type { FirstPolicy } from './answers.ts';
import { firstPolicyComplaint } from './write.ts';

const ANSWERS: FirstPolicy = {
  service: 'acme-notes',
  name: 'Acme "Notes" Ltd: x # y',
  email: 'privacy@acme.example',
  effective: '2026-03-02',
  minimumAge: 16,
  kept: [
    {
      id: 'page-views',
      title: 'Page views',
      events: ['page_view', 'type:page'],
      fields: { path: 'url-path', seconds: 'integer' },
      days: 90,
      optional: true,
    },
    {
      id: 'actions',
      title: 'Actions',
      events: ['action'],
      fields: { feature: 'string(64)' },
      days: 30,
      optional: false,
    },
  ],
};

function findings(answers: FirstPolicy) {
  const { yaml, prose } = firstPolicy(answers);
  const { policy, findings } = readPolicy(yaml, { file: 'first.yaml' });
  assert.ok(policy, JSON.stringify(findings));
  return { policy, found: lint(policy, prose) };
}

test('a first policy can be applied as it was written: the linter finds nothing in it', () => {
  const { policy, found } = findings(ANSWERS);
  assert.deepEqual(
    found.map(({ severity, message }) => `${severity}: ${message}`),
    [],
  );
  assert.equal(policy.controller.name, ANSWERS.name);
});

test('without anything optional nobody is asked, and nothing speaks of agreeing', () => {
  const required = ANSWERS.kept.map((one) => ({ ...one, optional: false }));
  const { policy, found } = findings({ ...ANSWERS, kept: required });
  assert.deepEqual(found, []);
  assert.ok(!policy.promises.some(({ control }) => control?.startsWith('consent.')));
});

test('whatever is answered, what is written can be read and is what was answered', () => {
  const answers = fc.record({
    service: fc.stringMatching(/^[a-z][a-z0-9-]{1,30}$/),
    name: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
    minimumAge: fc.integer({ min: 13, max: 21 }),
    days: fc.integer({ min: 1, max: 3_650 }),
  });
  fc.assert(
    fc.property(answers, ({ service, name, minimumAge, days }) => {
      const kept = ANSWERS.kept.map((one) => ({ ...one, days }));
      const given = { ...ANSWERS, service, name, minimumAge, kept };
      fc.pre(firstPolicyComplaint(given) === undefined);
      const { yaml } = firstPolicy(given);
      const { policy } = readPolicy(yaml, { file: 'first.yaml' });
      assert.equal(policy?.service, service);
      assert.equal(policy?.controller.name, name);
      assert.equal(policy?.compiled.data['actions']?.retain.milliseconds, days * 86_400_000);
    }),
    { numRuns: 60 },
  );
});

test('answers that no policy can be made of are refused with a sentence', () => {
  const complaint = (more: Partial<FirstPolicy>) => firstPolicyComplaint({ ...ANSWERS, ...more });
  assert.equal(firstPolicyComplaint(ANSWERS), undefined);
  assert.match(complaint({ service: 'No Spaces' }) ?? '', /named with/);
  assert.match(complaint({ email: 'nobody' }) ?? '', /e-mail/);
  assert.match(complaint({ minimumAge: 3 }) ?? '', /age/);
  assert.match(complaint({ kept: [] }) ?? '', /at least one/);
  assert.match(complaint({ name: 'two\nlines' }) ?? '', /120/);
});
