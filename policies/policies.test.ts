/** The five policies against the sentences that were published, and against the catalogue. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { controlCatalogue, type Policy, readPolicy } from '@troth/policy-language';

/** Service, prefix of its ids, and how many promises its prose makes. */
const services = [
  ['clanker', 'CW', 77],
  ['conducktr', 'CD', 166],
  ['workorders', 'WO', 48],
  ['magenta', 'MG', 134],
  ['loopkit', 'LK', 222],
] as const;

const QUOTE_WORDS_MAX = 12;

type Row = Policy['promises'][number];
type Named = Readonly<Record<string, unknown>>;

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');
const policies = services.map(([service, prefix, count]) => {
  const { policy, findings } = readPolicy(read(`${service}.yaml`), { file: `${service}.yaml` });
  const prose = read(`${service}.md`).split('\n');
  return { service, prefix, count, policy, findings, prose };
});

function documentOf(service: string): Policy {
  const found = policies.find((each) => each.service === service);
  assert.ok(found?.policy, `${service}.yaml cannot be read: ${JSON.stringify(found?.findings)}`);
  return found.policy;
}

/** "63-64, 70" as the line numbers it names. */
function linesOf(lines: string | number | undefined): number[] {
  return String(lines ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}

/** The prose of the lines without the marks that make words bold. */
function proseAt(prose: readonly string[], row: Row): string {
  return linesOf(row.line)
    .map((line) => prose[line - 1] ?? '')
    .join(' ')
    .replaceAll('**', '');
}

function valueAt(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Named | undefined)?.[key], document);
}

function listOf(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

/** The parameters that name a thing of the document, and the section that must hold it. */
const REFERENCES: Readonly<Record<string, string>> = {
  data: 'data',
  purpose: 'purposes',
  purposes: 'purposes',
  recipient: 'recipients',
  role: 'roles',
  cookie: 'cookies',
  clock: 'incidents.clocks',
  contact: 'controller.contacts',
  right: 'rights',
  rights: 'rights',
  location: 'locations',
  signal: 'consent.signals',
  enrichment: 'ingest.enrich',
};

function missingReferences(document: Policy, row: Row): string[] {
  return Object.entries(row.with ?? {}).flatMap(([name, value]) => {
    if (name === 'setting') {
      return valueAt(document, String(value)) === undefined ? [`${row.id}: ${value}`] : [];
    }
    if (name === 'meter') {
      return document.prices?.some(({ meter }) => meter === value) ? [] : [`${row.id}: ${value}`];
    }
    const section = REFERENCES[name];
    if (section === undefined) return [];
    return listOf(value)
      .filter((key) => (valueAt(document, section) as Named | undefined)?.[key] === undefined)
      .map((key) => `${row.id}: ${section}.${key}`);
  });
}

for (const { service, prefix, count, prose } of policies) {
  test(`${service}: the document is read and has the shape of a policy`, () => {
    assert.equal(documentOf(service).service, service);
  });

  test(`${service}: every promise is there once, numbered without a gap`, () => {
    const ids = documentOf(service).promises.map(({ id }) => id);
    const expected = Array.from(
      { length: count },
      (_, index) => `${prefix}-${String(index + 1).padStart(2, '0')}`,
    );
    assert.deepEqual(ids, expected);
  });

  test(`${service}: every quote stands in its line of the prose and is short`, () => {
    for (const row of documentOf(service).promises) {
      assert.ok(proseAt(prose, row).includes(row.says), `${row.id}: "${row.says}" at ${row.line}`);
      assert.ok(row.says.split(/\s+/).length <= QUOTE_WORDS_MAX, `${row.id} quotes too much`);
    }
  });

  test(`${service}: every line is quoted or listed as silent, none is both`, () => {
    const { promises, 'silent-lines': silentLines } = documentOf(service);
    const quoted = new Set(promises.flatMap(({ line }) => linesOf(line)));
    const silent = new Set(linesOf(silentLines));
    prose.forEach((text, index) => {
      const line = index + 1;
      const wanted = text.trim() === '' ? 0 : 1;
      const listed = Number(quoted.has(line)) + Number(silent.has(line));
      if (wanted === 1) assert.equal(listed, 1, `line ${line}: ${text}`);
    });
  });

  test(`${service}: every promise is bound to control, configuration or attestation`, () => {
    for (const row of documentOf(service).promises) {
      assert.ok(row.control ?? row.config ?? row.attest, `${row.id} is bound to nothing`);
      assert.ok(row.means, `${row.id} does not say what it demands`);
    }
  });

  test(`${service}: every control that is named exists and accepts its parameters`, () => {
    for (const row of documentOf(service).promises) {
      if (row.control === undefined) {
        assert.equal(row.with, undefined, `${row.id} has parameters for no control`);
        continue;
      }
      const entry = Object.entries(controlCatalogue).find(([name]) => name === row.control)?.[1];
      assert.ok(entry, `${row.id}: there is no control ${row.control}`);
      const parameters = entry.with.safeParse(row.with ?? {});
      assert.ok(parameters.success, `${row.id}: ${row.control}: ${parameters.error?.message}`);
    }
  });

  test(`${service}: every parameter and every path leads to something in the document`, () => {
    const document = documentOf(service);
    for (const row of document.promises) {
      assert.deepEqual(missingReferences(document, row), []);
      for (const path of listOf(row.config)) {
        assert.notEqual(valueAt(document, path), undefined, `${row.id}: nothing at ${path}`);
      }
    }
  });

  test(`${service}: whatever comes in as events has fields, a purpose and a limit`, () => {
    const { data, purposes } = documentOf(service);
    for (const [id, type] of Object.entries(data)) {
      assert.ok(type.retain, `${id} has no limit`);
      assert.ok(type.purposes.length > 0, `${id} has no purpose`);
      for (const purpose of [...type.purposes, type['consent-purpose']]) {
        assert.ok(purpose === undefined || purposes[purpose], `${id}: no purpose ${purpose}`);
      }
      if (type.from !== 'events') continue;
      assert.ok(type.fields && type['event-names'], `${id} takes events without fields or names`);
      const needsConsent = type.purposes.every((name) => purposes[name]?.basis === 'consent');
      assert.ok(!needsConsent || type['consent-purpose'], `${id} names no consent to ask for`);
    }
  });
}

test('all five together make 647 promises', () => {
  const rows = services.flatMap(([service]) => documentOf(service).promises);
  assert.equal(rows.length, 647);
  assert.equal(new Set(rows.map(({ id }) => id)).size, 647);
});

test('every control of the catalogue is bound by a promise', () => {
  const bound = new Set(
    services.flatMap(([service]) => documentOf(service).promises.map(({ control }) => control)),
  );
  const idle = Object.keys(controlCatalogue).filter((name) => !bound.has(name));
  assert.deepEqual(idle, []);
});

test('every control says in one sentence what it does, and its area begins its name', () => {
  for (const [name, { area, title }] of Object.entries(controlCatalogue)) {
    assert.equal(name.split('.')[0], area);
    assert.match(title, /^[A-Z].*[^.]\.$/, name);
  }
});
