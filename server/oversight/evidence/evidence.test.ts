import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { controlCatalogue, policyHash, readPolicy } from '@troth/policy-language';
import { movableClock } from '#base/clock';
import { TenantId } from '#base/ids';
import { openDataMap } from './data-map.ts';
import type { Counted, LastFound, PromiseAnswers, ServiceInForce } from './model.ts';
import { openPipelineWatch, type PipelineSnapshot } from './pipeline.ts';
import { type Known, openPromises } from './promises.ts';
import { eventRowCounter } from './store.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const DAY_MS = 86_400_000;
const file = join(import.meta.dirname, '..', '..', '..', 'policies', 'clanker.yaml');

function clanker(): ServiceInForce {
  const { policy } = readPolicy(readFileSync(file, 'utf8'), { file });
  assert.ok(policy);
  const hash = policyHash(policy);
  const tenant = TenantId('clanker');
  return {
    tenant,
    revision: 1,
    hash,
    policy,
    prose: undefined,
    appliedAt: new Date(0),
    findings: [],
  };
}

const looked = (state: LastFound['state'], at = NOON): LastFound => ({
  promise: '',
  revision: 1,
  state,
  saw: 'three canaries',
  control: '',
  strength: 'protocol',
  blindTo: 'the moon',
  foundAt: at,
  since: at,
  tookMs: 5,
});

const known = (more: Partial<Known> = {}): Known => ({
  catalogue: controlCatalogue,
  built: new Set(['ingest.declared-fields-only']),
  proven: new Set(),
  last: () => undefined,
  staleMs: 3 * 3_600_000,
  clock: movableClock(NOON),
  ...more,
});

const about = (answers: PromiseAnswers, control: string) =>
  answers.promises.find((one) => one.control === control);

test('without a proof no promise is kept, and each gap says why', () => {
  const answers = openPromises(known())(clanker());
  assert.equal(answers.promises.length, 77);
  assert.deepEqual(answers.counts, { kept: 0, broken: 0, gap: 77, attested: 0 });
  assert.ok(answers.promises.every(({ state, reason }) => state === 'gap' && reason));
  assert.match(about(answers, 'ingest.declared-fields-only')?.reason ?? '', /no proof of it/);
  assert.match(about(answers, 'vault.sealed')?.reason ?? '', /No control of this name is built/);
});

test('before its first proof under this policy a promise is a gap that says so', () => {
  const proven = new Set(['ingest.declared-fields-only']);
  const earlier = () => ({ ...looked('kept'), revision: 0 });
  const answer = about(
    openPromises(known({ proven, last: earlier }))(clanker()),
    'ingest.declared-fields-only',
  );
  assert.equal(answer?.state, 'gap');
  assert.match(answer?.reason ?? '', /first proof under this policy/);
});

test('a promise is what its last proof found, with what it saw and what it cannot see', () => {
  const proven = new Set(['ingest.declared-fields-only']);
  for (const state of ['kept', 'broken', 'gap'] as const) {
    const answers = openPromises(known({ proven, last: () => looked(state) }))(clanker());
    const answer = about(answers, 'ingest.declared-fields-only');
    assert.equal(answer?.state, state);
    assert.equal(answer?.saw, 'three canaries');
    assert.equal(answer?.blindTo, 'the moon');
  }
});

test('a finding that no round renewed turns into a gap, never into a pass', () => {
  const proven = new Set(['ingest.declared-fields-only']);
  const last = () => looked('kept', new Date(NOON.getTime() - 4 * 3_600_000));
  const answer = about(
    openPromises(known({ proven, last }))(clanker()),
    'ingest.declared-fields-only',
  );
  assert.equal(answer?.state, 'gap');
  assert.match(answer?.reason ?? '', /No proof has run since 2026-03-02T08/);
});

test('a finding of a control that has no proof any more counts for nothing', () => {
  const answers = openPromises(known({ last: () => looked('kept') }))(clanker());
  assert.equal(about(answers, 'ingest.declared-fields-only')?.state, 'gap');
});

test('a promise that also wants somebody’s word is not kept by a probe alone', () => {
  const service = clanker();
  const row = service.policy.promises.find(({ control, attest }) => control && attest);
  assert.ok(row?.control);
  const proven = new Set([row.control]);
  const answers = openPromises(known({ proven, last: () => looked('kept') }))(service);
  const answer = answers.promises.find(({ id }) => id === row.id);
  assert.equal(answer?.state, 'gap');
  assert.match(answer?.reason ?? '', /attestation/);
});

test('a person’s word without a document on file is a gap, not an attestation', () => {
  const answers = openPromises(known())(clanker());
  const words = answers.promises.filter(({ kind }) => kind === 'attestation');
  assert.ok(words.length > 0);
  assert.ok(words.every(({ reason }) => reason === 'No attestation is on file'));
});

const ninetyDays = new Map<string, Counted>([
  [
    'agent-commands',
    { rows: 7, oldestAt: new Date(NOON.getTime() - 91 * DAY_MS), store: 'clickhouse' },
  ],
]);

test('the data map shows the age of the oldest row against the limit of its type', async () => {
  const clock = movableClock(NOON);
  const map = await openDataMap({ counters: [async () => ninetyDays], clock, jobs: [] })(
    clanker(),
    true,
  );
  const commands = map.types.find(({ id }) => id === 'agent-commands');
  assert.equal(commands?.rows, 7);
  assert.equal(commands?.retain.limitMs, 90 * DAY_MS);
  assert.equal(commands?.oldestAgeMs, 91 * DAY_MS);
  assert.ok(commands?.fields.some(({ name, sealed }) => name === 'arguments' && sealed));
});

test('without an operator nothing is counted, and the declared limits are still public', async () => {
  const clock = movableClock(NOON);
  const never = async () => assert.fail('the engine was asked');
  const map = await openDataMap({ counters: [never], clock, jobs: [] })(clanker(), false);
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
  const map = openDataMap({ counters: [counter], clock, jobs: [] });
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
        ? [{ database: 'tenant_clanker', table: 'agent_commands' }]
        : [{ type: 'agent-commands', rows: '3', oldest: String(NOON.getTime()) }];
      return rows as Row[];
    },
  };
  const canaries = async () => [];
  const counted = await eventRowCounter({ events, canaries })(clanker());
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
    verification: 0,
    steps: [{ name: 'checkSchema', in: 10, out: 9, nanoseconds: 25_000 }],
    drops: [
      { reason: 'undeclared-event', step: 'checkSchema', events: 1 },
      // Fields that were cut from events that were kept: no event was dropped.
      { reason: 'undeclared-field', step: null, events: accepted },
    ],
    inbox: { rows: 0, lagMs: null, stuck: [] },
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
