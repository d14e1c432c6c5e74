import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAudit } from '#core/audit';
import { kept, saw } from '#core/promises';
import { silentLog } from '#platform/log';
import { useWorld } from '#testing/world';
import { type Evidence, openEvidence, type Turned } from './evidence.ts';
import { readDays, sweepDays } from './findings-store.ts';
import type { Finding } from './prover.ts';

const world = useWorld();

const found = (state: Finding['state'], promise = 'SA-01'): Finding => ({
  ...kept(saw`${3} of ${3} canaries`),
  state,
  tenant: world.tenant,
  revision: 1,
  promises: [promise],
  control: 'ingest.declared-fields-only',
  strength: 'stored-bytes',
  blindTo: 'the moon',
  at: new Date().toISOString(),
  tookMs: 4,
});

async function opened(
  rounds: Finding[][],
  told: Turned[] = [],
  tell = async (_: unknown, turned: Turned): Promise<void> => void told.push(turned),
): Promise<Evidence> {
  return openEvidence({
    db: world.db,
    policies: world.policies,
    clock: world.clock,
    log: silentLog,
    everyMs: 0,
    tell,
    async *run() {
      yield* rounds.shift() ?? [];
    },
  });
}

async function round(evidence: Evidence): Promise<void> {
  for await (const _ of evidence.prove({})) world.clock.advance(1_000);
}

test('a finding is still known after a restart, with the day on which it was made', async () => {
  const evidence = await opened([[found('kept')], [found('kept')]]);
  await round(evidence);
  const since = evidence.last(world.tenant, 'SA-01')?.since;
  await round(evidence);
  const again = (await opened([])).last(world.tenant, 'SA-01');
  assert.equal(again?.state, 'kept');
  assert.deepEqual(again?.since, since);
  const [day] = await evidence.days(world.tenant, new Date(0));
  assert.equal(day?.kept, 2);
});

test('the operator is told once when a promise breaks, and once when it is seen to hold again', async () => {
  const told: Turned[] = [];
  const states = ['kept', 'broken', 'broken', 'gap', 'broken', 'gap', 'kept', 'kept'] as const;
  const evidence = await opened(
    states.map((state) => [found(state, 'SA-02')]),
    told,
  );
  for (const _ of states) await round(evidence);
  assert.deepEqual(
    told.map(({ kind, promises }) => [kind, ...promises]),
    [
      ['promise.broken', 'SA-02'],
      ['promise.restored', 'SA-02'],
    ],
  );
});

test('each turn of a promise stands in the audit log', async () => {
  const evidence = await opened([
    [found('kept', 'SA-03')],
    [found('kept', 'SA-03')],
    [found('gap', 'SA-03')],
  ]);
  for (let i = 0; i < 3; i++) await round(evidence);
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  const turns = entries.filter(({ fields }) => fields['promise'] === 'SA-03');
  assert.deepEqual(
    turns.map(({ event, fields }) => [event, fields['before']]),
    [
      ['promise.found-kept', 'unknown'],
      ['promise.found-gap', 'kept'],
    ],
  );
});

test('a finding that cannot be recorded is never kept, and the round goes on', async () => {
  await round(await opened([[found('broken', 'SA-14')]]));
  const some = [found('broken', 'SA-04'), found('kept', 'SA-14'), found('kept', 'SA-24')];
  // What the operator cannot be told of is not on record either.
  const evidence = await opened([some], [], async () => {
    throw new Error('the queue is away');
  });
  await round(evidence);
  const states = (of: Evidence) =>
    ['SA-04', 'SA-14', 'SA-24'].map((promise) => of.last(world.tenant, promise)?.state);
  assert.deepEqual(states(evidence), ['broken', 'gap', 'kept']);
  assert.deepEqual(states(await opened([])), [undefined, 'broken', 'kept']);
});

test('days that no strip shows any more are swept, and younger ones stay', async () => {
  await world.db.sql`
    insert into troth.promise_days (tenant, promise, day, kept)
    values (${world.tenant}, 'SA-05', '2020-01-01', 1), (${world.tenant}, 'SA-05', '2020-03-01', 1)`;
  await sweepDays(world.db.sql, new Date('2020-02-01'));
  const left = await readDays(world.db.sql, world.tenant, new Date('2019-01-01'));
  const days = left.filter(({ promise }) => promise === 'SA-05').map(({ day }) => day);
  assert.deepEqual(days, ['2020-03-01']);
});
