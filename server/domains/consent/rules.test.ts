import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPolicy } from '@troth/policy-language';
import fc from 'fast-check';
import { PurposeId, SubjectId } from '#base/ids';
import { consentPolicy } from '#testing/consent-policy';
import { ConsentMemory } from './memory.ts';
import {
  conflictName,
  type Decided,
  type ReceiptId,
  type Signals,
  type SubjectState,
} from './model.ts';
import { decidePurpose, type Facts, NO_SIGNALS, optOutsOf, rulesOf, supersedes } from './rules.ts';

const policyFrom = (text: string) => {
  const { policy, findings } = readPolicy(text, { file: 'sample.yaml' });
  assert.ok(policy, JSON.stringify(findings));
  return policy;
};
const text = consentPolicy('sample');
const policy = policyFrom(text);
const rules = rulesOf(policy);
const subject = SubjectId('0'.repeat(32));
const NOW = 1_800_000_000_000;
const GPC: Signals = { ...NO_SIGNALS, gpc: true };
const DNT: Signals = { ...NO_SIGNALS, dnt: true };

type Said = { purpose: string; granted: boolean; givenAt: number; expiresAt?: number };

function stateOf(said: readonly Said[]): SubjectState {
  const decisions = new Map<PurposeId, Decided>();
  said.forEach(({ purpose, granted, givenAt, expiresAt = Number.POSITIVE_INFINITY }, index) => {
    const id = PurposeId(purpose);
    const decided: Decided = {
      receipt: `r${index}` as ReceiptId,
      granted,
      givenAt,
      expiresAt,
      status: granted ? 'ConsentGiven' : 'ConsentWithdrawn',
    };
    if (supersedes(decided, decisions.get(id))) decisions.set(id, decided);
  });
  return { decisions, noted: new Set() };
}

const factsOf = (said: readonly Said[], more: Partial<Facts> = {}): Facts => ({
  subject,
  state: stateOf(said),
  signals: NO_SIGNALS,
  region: undefined,
  now: NOW,
  ...more,
});
const decide = (purpose: string, said: readonly Said[] = [], more: Partial<Facts> = {}) =>
  decidePurpose(rules, purpose, factsOf(said, more));
const yes = (purpose: string, givenAt = 1): Said => ({ purpose, granted: true, givenAt });
const no = (purpose: string, givenAt = 1): Said => ({ purpose, granted: false, givenAt });

test('silence means no for consent, and the published position for the rest', () => {
  assert.equal(decide('insights').because, 'consent-not-given');
  assert.equal(decide('monitoring').because, 'on-by-default');
  assert.equal(decide('delivery').because, 'essential');
  assert.equal(decide('nothing').because, 'purpose-unknown');
  assert.equal(decide('constructor').because, 'purpose-unknown');
});

test('where a region asks for consent, a default that is on is off, and an essential one stays', () => {
  for (const region of ['EU', 'DE', 'NO', '']) {
    assert.equal(decide('monitoring', [], { region }).because, 'region-asks-consent', region);
    assert.equal(decide('delivery', [], { region }).allowed, true);
    assert.equal(decide('monitoring', [yes('monitoring')], { region }).allowed, true);
  }
  for (const region of ['US', 'GB', undefined]) {
    assert.equal(decide('monitoring', [], { region }).allowed, true, region);
  }
});

test('the first voice that speaks wins, in the order of the policy', () => {
  const given = [yes('insights'), yes('research')];
  assert.equal(decide('insights', given, { signals: GPC }).because, 'signal-gpc');
  assert.equal(decide('research', given, { signals: DNT }).because, 'consent-given', 'dnt is last');
  assert.equal(decide('research', [], { signals: DNT }).because, 'signal-dnt');
  assert.equal(decide('insights', given, { signals: DNT }).because, 'consent-given');
  assert.equal(decide('delivery', [], { signals: GPC }).because, 'essential');
});

test('a signal that the order of precedence leaves out is heard first', () => {
  const forgot = policyFrom(text.replace('[gpc, consent, dnt]', '[gpc, consent]'));
  const facts = factsOf([yes('research')], { signals: DNT });
  assert.equal(decidePurpose(rulesOf(forgot), 'research', facts).because, 'signal-dnt');
});

test('what lies under a purpose ends with it', () => {
  assert.equal(decide('journeys').because, 'on-by-default');
  assert.equal(decide('journeys', [no('monitoring')]).because, 'parent-not-allowed');
  assert.equal(decide('journeys', [yes('journeys')], { signals: GPC }).allowed, false);
});

test('a consent ends when it expires, and the default it replaced does not come back', () => {
  const ending = { ...yes('monitoring'), expiresAt: NOW };
  assert.equal(decide('monitoring', [ending]).because, 'consent-expired');
  assert.equal(decide('monitoring', [ending], { now: NOW - 1 }).because, 'consent-given');
});

test('a person whose decisions could not be looked at counts as one who said no', () => {
  const more = { state: 'unknown' } as const;
  assert.equal(decide('insights', [], more).because, 'decisions-not-loaded');
  assert.equal(decide('monitoring', [], more).because, 'decisions-not-loaded');
  assert.equal(decide('delivery', [], more).allowed, true);
});

test('a signal that overrules a choice, or a default, is returned to be recorded, once', () => {
  const state = stateOf([yes('insights')]);
  const facts = { ...factsOf([]), state, signals: GPC };
  const { conflict } = decidePurpose(rules, 'insights', facts);
  assert.deepEqual(conflict, { subject, purpose: 'insights', signal: 'gpc', overrules: 'r0' });
  state.noted.add('gpc insights r0');
  assert.equal(decidePurpose(rules, 'insights', facts).conflict, undefined);
  const silent = decidePurpose(rules, 'insights', { ...facts, signals: NO_SIGNALS });
  assert.equal(silent.because, 'signal-gpc', 'it stands, and asks for no second record');
  assert.equal(silent.conflict, undefined);
  const later = [yes('monitoring'), yes('insights')];
  const anew = { ...stateOf(later), noted: state.noted };
  const decided = decidePurpose(rules, 'insights', { ...facts, state: anew, signals: NO_SIGNALS });
  assert.equal(decided.because, 'consent-given');
  const overDefault = decidePurpose(rules, 'monitoring', facts).conflict;
  assert.equal(overDefault?.overrules, null);
  assert.equal(decide('research', [], { signals: GPC }).conflict, undefined, 'nothing to overrule');
  const nobody = { signals: GPC, subject: undefined, state: undefined };
  assert.equal(decide('monitoring', [], nobody).conflict, undefined);
});

test('an opt-out by signal is returned to be recorded also where it overrules nothing, once', () => {
  const state = stateOf([yes('insights')]);
  const facts = { subject, state, signals: GPC, now: NOW };
  const first = optOutsOf(rules, facts);
  const closed = [...rules.purposes.values()].filter(({ withdrawnBy }) => withdrawnBy.has('gpc'));
  assert.ok(closed.length > 1);
  assert.deepEqual(
    first.map(({ purpose }) => purpose),
    closed.map(({ id }) => id),
  );
  assert.equal(first.find(({ purpose }) => purpose === 'insights')?.overrules, 'r0');
  for (const optOut of first) state.noted.add(conflictName(optOut));
  assert.deepEqual(optOutsOf(rules, facts), []);
  assert.deepEqual(optOutsOf(rules, { ...facts, signals: NO_SIGNALS, state: stateOf([]) }), []);
  assert.deepEqual(optOutsOf(rules, { ...facts, subject: undefined, state: undefined }), []);
});

const PURPOSES = [...rules.purposes.keys()];
const said = fc.record({
  purpose: fc.constantFrom(...PURPOSES),
  granted: fc.boolean(),
  givenAt: fc.integer({ min: 0, max: 4 }),
  expiresAt: fc.constantFrom(NOW - 1, NOW + 1, Number.POSITIVE_INFINITY),
});
const history = fc.array(said, { maxLength: 12 });
const signals = fc.record({ gpc: fc.boolean(), dnt: fc.boolean(), doNotSell: fc.boolean() });
const region = fc.constantFrom(undefined, '', 'DE', 'US');
const allowed = (facts: Facts) =>
  PURPOSES.filter((purpose) => decidePurpose(rules, purpose, facts).allowed);

test('adding a refusal never permits more', () => {
  fc.assert(
    fc.property(history, said, signals, region, (before, last, heard, where) => {
      const more = { signals: heard, region: where };
      const first = new Set(allowed(factsOf(before, more)));
      const then = allowed(factsOf([...before, { ...last, granted: false }], more));
      for (const purpose of then) assert.ok(first.has(purpose), `${purpose} was permitted by a no`);
    }),
  );
});

test('adding a signal never permits more', () => {
  fc.assert(
    fc.property(history, signals, signals, region, (before, heard, added, where) => {
      const both = {
        gpc: heard.gpc || added.gpc,
        dnt: heard.dnt || added.dnt,
        doNotSell: heard.doNotSell || added.doNotSell,
      };
      const first = new Set(allowed(factsOf(before, { signals: heard, region: where })));
      const then = allowed(factsOf(before, { signals: both, region: where }));
      for (const purpose of then)
        assert.ok(first.has(purpose), `${purpose}: permitted by a signal`);
    }),
  );
});

test('the order in which decisions arrive does not matter', () => {
  const shuffled = history.chain((before) =>
    fc.tuple(
      fc.constant(before),
      fc.shuffledSubarray(before, { minLength: before.length, maxLength: before.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, signals, ([before, after], heard) => {
      // Of two consents at one time with two ends either may stand; each is a yes of the person.
      const plain = (one: Said): Said => ({ ...one, expiresAt: Number.POSITIVE_INFINITY });
      const more = { signals: heard };
      assert.deepEqual(
        allowed(factsOf(before.map(plain), more)),
        allowed(factsOf(after.map(plain), more)),
      );
    }),
  );
});

test('a withdrawal overrides a consent of the same moment', () => {
  for (const order of [
    [yes('insights', 5), no('insights', 5)],
    [no('insights', 5), yes('insights', 5)],
  ]) {
    assert.equal(decide('insights', order).because, 'consent-withdrawn');
  }
});

test('the memory of decisions is bounded, and keeps what was asked for last', () => {
  const memory = new ConsentMemory(10);
  for (let person = 0; person < 1_000; person += 1) {
    memory.set(`p${person}`, stateOf([]));
    memory.touch('p0');
    assert.ok(memory.size <= 21);
    assert.ok(memory.get(`p${person}`));
  }
  assert.ok(memory.get('p0'), 'who is asked for stays');
  assert.equal(memory.get('p500'), undefined);
  memory.forget('p999');
  assert.equal(memory.get('p999'), undefined);
});
