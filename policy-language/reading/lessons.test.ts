/** What an error teaches must itself be right, and what the grammar takes must never break. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  controlCatalogue,
  diffPolicies,
  documentOf,
  explainPromise,
  lint,
  planChange,
  policyHash,
  readPolicy,
  renderPolicy,
  rowsToCount,
} from '@troth/policy-language';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { z } from 'zod';
import { compile } from '#language/compile';
import { PolicyDocument } from '#language/document';
import { assertTeaches, policyOf, SOUND } from '#language/testing/documents';
import { alternatives, lessonAt, schemasAt } from './schema-walk.ts';
import type { Path } from './tree.ts';

const POLICIES = ['clanker', 'conducktr', 'loopkit', 'magenta', 'workorders'].map((name) =>
  readFileSync(new URL(`../../policies/${name}.yaml`, import.meta.url), 'utf8'),
);

const SOUND_POLICY = policyOf(SOUND);

type Place = { readonly path: Path; readonly schema: z.ZodType };

/** Every place that a document may have, a table by one of its keys, a list by its first entry. */
function* placesOf(path: Path = []): Generator<Place> {
  for (const schema of schemasAt(PolicyDocument, path)) {
    yield { path, schema };
    const { shape, options, element, valueType, type } = schema.def as unknown as {
      type: string;
      shape?: object;
      options?: readonly z.ZodType[];
      element?: z.ZodType;
      valueType?: z.ZodType;
    };
    if (type === 'lazy') continue;
    for (const one of options ?? []) {
      const inner = (one.def as { shape?: object }).shape;
      for (const key of Object.keys(inner ?? {})) yield* placesOf([...path, key]);
    }
    for (const key of Object.keys(shape ?? {})) yield* placesOf([...path, key]);
    if (element) yield* placesOf([...path, 0]);
    if (valueType) yield* placesOf([...path, 'name']);
  }
}

test('every place of a document teaches what it expects, with an example that it takes', () => {
  let places = 0;
  for (const { path, schema } of placesOf()) {
    if (path.length === 0) continue;
    const { expected, example } = lessonAt(PolicyDocument, path);
    assert.ok(expected && example, path.join('.'));
    const [first] = schemasAt(PolicyDocument, path);
    const read = (first ?? schema).safeParse(parse(example));
    assert.ok(read.success, `${path.join('.')}: ${example}: ${read.error?.message}`);
    places += 1;
  }
  assert.ok(places > 300, `${places} places`);
});

test('every control teaches its parameters, with an example that it takes', () => {
  for (const [name, { with: given }] of Object.entries(controlCatalogue)) {
    const { expected, example } = lessonAt(given, []);
    assert.ok(expected && example, name);
    assert.ok(given.safeParse(parse(example)).success, `${name}: ${example}`);
  }
});

/** Whatever is done with a document before it is in force. */
function useAll(text: string): void {
  const { policy, findings } = readPolicy(text, { file: 'spoilt.yaml' });
  if (!policy) return assertTeaches(findings);
  const now = new Date('2026-01-01T00:00:00Z');
  lint(policy);
  for (const before of [undefined, SOUND_POLICY, policy]) {
    for (const { cutoff } of rowsToCount(before, policy, now)) cutoff.toISOString();
    assert.match(planChange(before, policy, { now, rowsOlderThan: () => 1 }).earliest, /^\d{4}-/);
  }
  planChange(policy, SOUND_POLICY, { now });
  diffPolicies(SOUND_POLICY, policy);
  policyHash(policy);
  compile(documentOf(policy) as PolicyDocument);
  renderPolicy(policy, { format: 'html' });
  for (const { id } of policy.promises.slice(0, 3)) explainPromise(policy, id);
}

const digits = fc.oneof(fc.nat(400), fc.nat(), fc.bigInt({ min: 0n, max: 10n ** 24n }));
const part = (unit: string) =>
  fc.option(digits, { nil: '' }).map((n) => (n === '' ? '' : n + unit));
const durations = fc
  .tuple(...['Y', 'M', 'W', 'D'].map(part), fc.tuple(...['H', 'M', 'S'].map(part)))
  .map((parts) => {
    const time = (parts.at(-1) as string[]).join('');
    return `P${parts.slice(0, -1).join('')}${time && `T${time}`}`;
  });

test('a length of time at any place is refused with a lesson or taken: nothing throws', () => {
  const text = POLICIES[2] ?? '';
  const places = [...text.matchAll(/\bPT?\d+[YMWDHS]\b/g)];
  assert.ok(places.length > 20);
  fc.assert(
    fc.property(fc.constantFrom(...places), durations, ({ index, 0: written }, duration) => {
      useAll(text.slice(0, index) + duration + text.slice(index + written.length));
    }),
    { numRuns: 150 },
  );
});

test('the longest and the shortest lengths, at every place of every policy at once', () => {
  for (const text of POLICIES) {
    for (const duration of ['P50Y', 'P18250D', 'PT438000H', 'PT1576800000S', 'PT1S', 'P0D']) {
      useAll(text.replaceAll(/\bPT?\d+[YMWDHS]\b/g, duration));
    }
  }
});

test('any text that the grammar takes, at any place of a policy, is refused with a lesson or taken', () => {
  const document = parse(POLICIES[3] ?? '');
  const places = [...leavesOf(document)];
  assert.ok(places.filter(({ patterns }) => patterns.length > 0).length > 200);
  const spoilt = fc
    .constantFrom(...places)
    .chain((place) =>
      fc.tuple(
        fc.constant(place),
        fc.oneof(fc.string(), ...place.patterns.map((one) => fc.stringMatching(one))),
      ),
    );
  fc.assert(
    fc.property(spoilt, ([{ holder, key }, value]) => {
      const before = holder[key];
      holder[key] = value;
      useAll(JSON.stringify(document));
      holder[key] = before;
    }),
    { numRuns: 150 },
  );
});

type Leaf = { holder: Record<string | number, unknown>; key: string | number; patterns: RegExp[] };

/** Every text of a document, with the patterns that the grammar asks of it. */
function* leavesOf(holder: Leaf['holder'], above: Path = []): Generator<Leaf> {
  for (const [key, value] of Object.entries(holder)) {
    const path = [...above, Array.isArray(holder) ? Number(key) : key];
    if (value !== null && typeof value === 'object') yield* leavesOf(value as Leaf['holder'], path);
    if (typeof value !== 'string') continue;
    const schemas = schemasAt(PolicyDocument, path).flatMap(alternatives);
    const checks = schemas.flatMap((schema) => (schema.def as z.core.$ZodTypeDef).checks ?? []);
    const patterns = checks.flatMap(({ _zod: { def } }) =>
      'pattern' in def && def.pattern instanceof RegExp ? def.pattern : [],
    );
    // Lengths of time look ahead, which no generator follows; they have a test of their own.
    yield { holder, key, patterns: patterns.filter(({ source }) => !/\(\?[=!]/.test(source)) };
  }
}
