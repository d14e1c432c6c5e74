/** A policy is frozen, and its hash depends on what it says and on nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canonicalJson, policyHash, policySchema, sha256 } from '@troth/policy-language';
import fc from 'fast-check';
import { policyOf, SOUND, spoilt } from './testing/documents.ts';

test('SHA-256 agrees with the implementation of the platform for every text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const expected = createHash('sha256').update(text.toWellFormed(), 'utf8').digest('hex');
      assert.equal(sha256(text.toWellFormed()), expected);
    }),
  );
});

test('the canonical form does not depend on the order of keys', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (value === null || typeof value !== 'object') return value;
    const reversed = Object.entries(value).toReversed();
    return Object.fromEntries(reversed.map(([key, member]) => [key, shuffled(member)]));
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(canonicalJson(shuffled(value)), canonicalJson(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('comments and spacing leave the hash alone; a value changes it', () => {
  const hash = policyHash(policyOf(SOUND));
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(policyHash(policyOf(`# said otherwise\n${SOUND}`)), hash);
  assert.equal(policyHash(policyOf(spoilt('[en]', '[ "en" ]'))), hash);
  assert.notEqual(policyHash(policyOf(spoilt('P90D', 'P91D'))), hash);
});

test('a policy cannot be changed after it was compiled', () => {
  const policy = policyOf(SOUND) as unknown as { data: Record<string, { retain: string }> };
  assert.throws(() => {
    (policy.data['commands'] as { retain: string }).retain = 'P9Y';
  }, TypeError);
  assert.throws(() => Object.assign(policy, { service: 'other' }), TypeError);
});

test('the published schema is the one the grammar gives', () => {
  const published = readFileSync(new URL('./policy.schema.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(published), JSON.parse(JSON.stringify(policySchema())));
});
