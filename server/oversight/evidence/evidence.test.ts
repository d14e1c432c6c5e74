import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { controlCatalogue, policyHash, readPolicy } from '@troth/policy-language';
import { movableClock } from '#base/clock';
import { TenantId } from '#base/ids';
import { openDataMap } from './data-map.ts';
import type { Counted, ServiceInForce } from './model.ts';
import { openPipelineWatch, type PipelineSnapshot } from './pipeline.ts';
import { openPromises, valueAt } from './promises.ts';
import { eventRowCounter } from './store.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const DAY_MS = 86_400_000;
const file = join(import.meta.dirname, '..', '..', '..', 'policies', 'clanker.yaml');

function clanker(): ServiceInForce {
  const { policy } = readPolicy(readFileSync(file, 'utf8'), { file });
  assert.ok(policy);
  const hash = policyHash(policy);
  const tenant = TenantId('clanker');
  return { tenant, revision: 1, hash, policy, prose: undefined, findings: [] };
}

test('without a proof no promise is kept, and each gap says why', () => {
  const built = new Set(['ingest.declared-fields-only']);
  const { counts, promises } = openPromises({ catalogue: controlCatalogue, built })(clanker());

  assert.equal(promises.length, 77);
  assert.deepEqual(counts, { kept: 0, broken: 0, gap: 77, attested: 0 });
  assert.ok(promises.every(({ state, reason }) => state === 'gap' && reason));
  const reasonOf = (control: string) => promises.find((one) => one.control === control)?.reason;
  assert.match(reasonOf('ingest.declared-fields-only') ?? '', /no proof has looked at it yet/);
  assert.match(reasonOf('retention.limit') ?? '', /No control of this name is built/);
});

test('a person’s word without a document on file is a gap, not an attestation', () => {
  const answers = openPromises({ catalogue: controlCatalogue, built: new Set() })(clanker());
  const words = answers.promises.filter(({ kind }) => kind === 'attestation');
  assert.ok(words.length > 0);
  assert.ok(words.every(({ reason }) => reason === 'No attestation is on file'));
});

test('a value is found by its path, and a path of the prototype leads nowhere', () => {
  assert.equal(valueAt({ a: { b: 3 } }, 'a.b'), 3);
  assert.equal(valueAt({ a: {} }, 'a.constructor'), undefined);
  assert.equal(valueAt({ a: 1 }, 'a.b'), undefined);
});

const ninetyDays = new Map<string, Counted>([
  [
    'agent-commands',
    { rows: 7, oldestAt: new Date(NOON.getTime() - 91 * DAY_MS), store: 'clickhouse' },
  ],
]);

test('the data map shows the age of the oldest row against the limit of its type', async () => {
  const clock = movableClock(NOON);
  const map = await openDataMap({ counters: [async () => ninetyDays], clock })(clanker(), true);
  const commands = map.types.find(({ id }) => id === 'agent-commands');
  assert.equal(commands?.rows, 7);
  assert.equal(commands?.retain.limitMs, 90 * DAY_MS);
  assert.equal(commands?.oldestAgeMs, 91 * DAY_MS);
  assert.ok(commands?.fields.some(({ name, sealed }) => name === 'arguments' && sealed));
});

test('without an operator nothing is counted, and the declared limits are still public', async () => {
  const clock = movableClock(NOON);
  const never = async () => assert.fail('the engine was asked');
  const map = await openDataMap({ counters: [never], clock })(clanker(), false);
  assert.equal(map.countedAt, null);
  assert.ok(map.types.every(({ rows, oldestAt }) => rows === null && oldestAt === null));
});

test('an engine is asked once, however often the map is looked at within five seconds', async () => {
  const clock = movableClock(NOON);
  let asked = 0;
  const counter = async () => {
    asked += 1;
    return ninetyDays;
  };
  const map = openDataMap({ counters: [counter], clock });
  await Promise.all([map(clanker(), true), map(clanker(), true)]);
  clock.advance(5_001);
  await map(clanker(), true);
  assert.equal(asked, 2);
});

test('only tables that exist are counted, and every name is bound, never written into the query', async () => {
  const queries: { sql: string; params: Record<string, unknown> }[] = [];
  const events = {
    query: async <Row>(sql: string, params: Record<string, unknown> = {}) => {
      queries.push({ sql, params });
      const rows = sql.includes('system.tables')
        ? [{ name: 'agent_commands' }]
        : [{ type: 'agent-commands', rows: '3', oldest: String(NOON.getTime()) }];
      return rows as Row[];
    },
  };
  const counted = await eventRowCounter(events)(clanker());
  assert.deepEqual(counted.get('agent-commands'), {
    rows: 3,
    oldestAt: NOON,
    store: 'clickhouse',
  });
  assert.ok(queries.every(({ sql }) => !/clanker|agent_commands/.test(sql)));
  assert.equal(queries[1]?.params['table0'], 'agent_commands');
});

test('the pipeline keeps two minutes of flow, one sample a second', () => {
  let accepted = 0;
  const snapshot = (): PipelineSnapshot => ({
    received: accepted + 1,
    accepted,
    steps: [{ name: 'checkSchema', in: 10, out: 9, nanoseconds: 25_000 }],
    drops: [
      { reason: 'undeclared-event', step: 'checkSchema', events: 1 },
      // Fields that were cut from events that were kept: no event was dropped.
      { reason: 'undeclared-field', step: null, events: accepted },
    ],
    inbox: { rows: 0, lagMs: null },
  });
  let sample = () => {};
  const watch = openPipelineWatch({
    counters: { snapshot, reasons: { 'undeclared-event': 'The policy declares no such event.' } },
    tenants: () => ['clanker'],
    clock: movableClock(NOON),
    tick: (run) => {
      sample = run;
      return () => {};
    },
  });
  for (let second = 0; second < 130; second++) {
    sample();
    accepted += 5;
  }
  const view = watch.view('clanker');
  assert.equal(view.perSecond.length, 120);
  assert.deepEqual(view.perSecond.at(-1), { accepted: 5, dropped: 0 });
  assert.equal(view.steps[0]?.microseconds, 2.5);
  assert.equal(view.drops[0]?.says, 'The policy declares no such event.');
});
