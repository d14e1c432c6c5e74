import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { readAudit } from '#core/audit';
import { authorize } from '#core/policy';
import type { People } from '#core/purposes';
import { archiveDatabaseOf, eventsDatabaseOf, inTenant } from '#core/tenancy';
import { receiptsAge, sweepReceipts } from '#domains/consent';
import { ruleIn } from '#domains/ingest';
import { eventsProblem } from '#platform/events';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import {
  type AgedRow,
  importBackdated,
  openRetention,
  type Retention,
  type SweepStep,
} from './index.ts';

const DAY = 86_400_000;
const TIERS =
  'retain: { active: P30D, archive: P700D, total: P730D }\n    retain-options: { extended: P7Y, immediate: P0D, eu: P1Y }';
const RECEIPTS = `  consent-receipts:
    title: Receipts
    from: consent
    categories: [user.privacy_preferences]
    purposes: [service-delivery]
    retain: P3Y
    key: subject
`;

const ALL_AGREE: People = {
  hidden: { refresh: async () => undefined, has: () => false },
  agreed: async (_, __, subjects) => new Set(subjects),
};

let retention: Retention;
/** Ends a sweep as a crash would. */
let crashAfter: SweepStep | undefined;
let isEngineAway = false;
let choresDone = 0;
const world = useWorld({
  policies: [(service) => samplePolicy(service, { more: RECEIPTS }).replace(/retain: P90D/, TIERS)],
  async setUp({ db, events, policies, clock }) {
    retention = await openRetention(
      {
        db,
        policies,
        clock,
        log: silentLog,
        events: {
          ...events,
          query: (sql, params) =>
            isEngineAway
              ? Promise.reject(eventsProblem('events-unavailable', 'away'))
              : events.query(sql, params),
        },
        chores: [{ name: 'counted', run: async () => ++choresDone }],
        stores: [
          {
            from: 'consent',
            sweep: ({ tenant }, { before, now }) =>
              inTenant(db, { tenant, role: 'troth_sweeper', now }, (tx) =>
                sweepReceipts(tx, before),
              ),
            age: (tenant) => inTenant(db, { tenant, now: clock.now() }, receiptsAge),
          },
        ],
        afterStep(step) {
          if (step === crashAfter) throw new Error('crash');
        },
      },
      ruleIn,
    );
  },
});
after(() => retention?.close());

const asker = () => ({
  inForce: world.policies.inForce(world.tenant),
  actor: world.operator,
});

/** Rows of a type as old as this. @returns their messages. */
function plant(dataType: string, days: number, more: { rows?: AgedRow[]; tier?: 'archive' } = {}) {
  const { rows = [{ name: 'planted' }], ...rest } = more;
  const { inForce } = asker();
  const system = { kind: 'system', id: world.operator.id } as const;
  const permit = authorize(inForce, system, 'canary.write');
  const receivedAt = new Date(world.clock.now().getTime() - days * DAY);
  return importBackdated(world, permit, inForce, { dataType, rows, receivedAt, ...rest });
}

async function isIn(
  database: string,
  table: string,
  message: string | undefined,
): Promise<boolean> {
  const [row] = await world.events.query<{ rows: number }>(
    'select toFloat64(count()) as rows from {database:Identifier}.{table:Identifier} where message = {message:UInt64}',
    { database, table, message },
  );
  return (row?.rows ?? 0) > 0;
}
const isActive = (table: string, message?: string) =>
  isIn(eventsDatabaseOf(world.tenant), table, message);
const isArchived = (message?: string) => isIn(archiveDatabaseOf(world.tenant), 'usage', message);

test('a row that is older than its limit goes with the next sweep, a younger one stays', async () => {
  const [old] = await plant('page-views', 31);
  const [young] = await plant('page-views', 20);
  await retention.sweep(world.tenant);
  assert.deepEqual(
    [await isActive('page_views', old), await isActive('page_views', young)],
    [false, true],
  );
});

test('the oldest row is always younger than the limit, by a margin that two late sweeps use up', async () => {
  // Just inside the limit, and outside what a sweep leaves.
  const [row] = await plant('page-views', 29.9);
  await retention.sweep(world.tenant);
  assert.equal(await isActive('page_views', row), false);
  const [standing] = (await retention.standing(asker().inForce)).filter(
    ({ dataType }) => dataType === 'page-views',
  );
  const [latest] = standing?.latest ?? [];
  assert.ok(latest && latest.rows >= 1 && standing?.isSwept);
  assert.ok(world.clock.now().getTime() - latest.cutoff.getTime() < 30 * DAY);
});

test('rows leave the active tier for the archive, and the archive at the end of their life', async () => {
  const messages = [];
  for (const days of [10, 40, 400, 800]) messages.push(...(await plant('usage', days)));
  const [fresh, aged, old, dead] = messages;
  await retention.sweep(world.tenant);
  const active = await Promise.all(messages.map((message) => isActive('usage', message)));
  assert.deepEqual(active, [true, false, false, false]);
  const archived = await Promise.all([fresh, aged, old, dead].map(isArchived));
  assert.deepEqual(archived, [false, true, true, false]);
  const [gone] = await plant('usage', 731, { tier: 'archive' });
  await retention.sweep(world.tenant);
  assert.equal(await isArchived(gone), false);
});

test('a sweep that ends in the middle of a move loses nothing, and doubles nothing', async () => {
  const [message] = await plant('usage', 50);
  crashAfter = 'copied';
  await assert.rejects(retention.sweep(world.tenant), /crash/);
  assert.deepEqual([await isActive('usage', message), await isArchived(message)], [true, true]);
  crashAfter = undefined;
  await retention.sweep(world.tenant);
  const [row] = await world.events.query<{ rows: number }>(
    'select toFloat64(count()) as rows from {database:Identifier}.usage where message = {message:UInt64}',
    { database: archiveDatabaseOf(world.tenant), message },
  );
  assert.deepEqual([row?.rows, await isActive('usage', message)], [1, false]);
});

test('what lives long is swept on its own day, unless something is overdue', async () => {
  await retention.sweep(world.tenant);
  const pages = (swept: { dataType: string }[]) =>
    swept.filter(({ dataType }) => dataType === 'page-views').length;
  world.clock.advance(3_600_000);
  assert.equal(pages(await retention.sweep(world.tenant, { isWhole: false })), 0);
  const [late] = await plant('page-views', 40);
  assert.equal(pages(await retention.sweep(world.tenant, { isWhole: false })), 1);
  assert.equal(await isActive('page_views', late), false);
  world.clock.advance(DAY);
  assert.equal(pages(await retention.sweep(world.tenant, { isWhole: false })), 1);
});

test('the archive is read for a purpose of the data, and on record', async () => {
  await plant('usage', 60, { rows: [{ name: 'kept', values: { tool: 'drill', ok: true } }] });
  await retention.sweep(world.tenant);
  const read = (purpose: string, dataType = 'usage') =>
    retention.readArchive(
      asker(),
      { dataType, purpose, limit: 100, from: new Date(0), until: world.clock.now() },
      ALL_AGREE,
    );
  const rows = await read('statistics');
  assert.ok(rows.some(({ name, f_tool: tool }) => name === 'kept' && tool === 'drill'));
  assert.ok(rows.every((row) => !('sealed' in row)));
  await assert.rejects(read(''), { code: 'purpose-not-stated' });
  await assert.rejects(read('curiosity'), { code: 'purpose-not-declared' });
  await assert.rejects(read('service-delivery', 'page-views'), { code: 'purpose-not-for-data' });
  await assert.rejects(read('statistics', 'page-views'), { code: 'data-not-archived' });
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  const reading = entries.filter(({ event }) => event === 'archive.read');
  assert.deepEqual(
    reading.map(({ fields }) => fields),
    [{ data: 'usage', purpose: 'statistics' }],
  );
});

test('a customer chooses up to the longest that the policy offers, and not a day more', async () => {
  const choose = (choice: string | null, more: { dataType?: string; region?: string } = {}) =>
    retention.choose(asker(), { dataType: 'usage', choice, ...more });
  const [old] = await plant('usage', 1_000, { tier: 'archive' });
  for (const wrong of ['P7Y1D', 'P8Y', 'forever', '-P1D', 'P1', 'enterprise', '']) {
    await assert.rejects(choose(wrong), { code: 'retention-not-chosen' }, wrong);
  }
  await assert.rejects(choose('P1Y', { dataType: 'page-views' }), { code: 'retention-not-chosen' });
  await assert.rejects(choose(null, { dataType: 'nothing' }), { code: 'retention-not-chosen' });
  await choose('extended');
  assert.equal(await isArchived(old), true, 'seven years: what is three years old stays');
  await choose('P2Y');
  assert.equal(await isArchived(old), false);
  assert.equal(retention.limitsOf(asker().inForce, 'usage')?.totalMs, 2 * 365 * DAY);
});

const from = (country: string, days: number) =>
  plant('usage', days, { rows: [{ name: 'planted', country }], tier: 'archive' });

test('a limit for a region ends its rows earlier, also those that are there', async () => {
  const [german] = await from('DE', 500);
  const [american] = await from('US', 500);
  await retention.choose(asker(), { dataType: 'usage', region: 'EU', choice: 'eu' });
  assert.deepEqual([await isArchived(german), await isArchived(american)], [false, true]);
  await retention.choose(asker(), { dataType: 'usage', region: 'EU', choice: null });
});

test('a longer life for a region spares its rows until their own end, and nobody else', async () => {
  const choose = (choice: string | null) =>
    retention.choose(asker(), { dataType: 'usage', region: 'US', choice });
  await choose('extended');
  const [young, old] = [await from('US', 1_000), await from('US', 2_560)];
  const [other] = await from('CA', 1_000);
  await choose('extended');
  const there = [...young, ...old, ...(other ? [other] : [])].map((message) => isArchived(message));
  assert.deepEqual(await Promise.all(there), [true, false, false]);
  await choose(null);
  assert.equal(await isArchived(young[0]), false);
});

test('a choice for a code that no place has is not that of people whose country is unknown', async () => {
  const choose = (region: string, choice: string | null) =>
    retention.choose(asker(), { dataType: 'usage', region, choice });
  const [unknown] = await plant('usage', 1);
  await choose('QM', 'immediate');
  assert.equal(await isActive('usage', unknown), true);
  assert.equal(retention.limitsOf(asker().inForce, 'usage')?.unknownMs, 2 * 365 * DAY);
  await choose('QM', null);
  await choose('BR', 'immediate');
  assert.equal(await isActive('usage', unknown), false);
  await choose('BR', null);
});

test('who chooses to keep nothing has nothing after the choice', async () => {
  const [message] = await plant('usage', 0.01);
  await retention.choose(asker(), { dataType: 'usage', choice: 'immediate' });
  assert.equal(await isActive('usage', message), false);
  await retention.choose(asker(), { dataType: 'usage', choice: null });
});

test('receipts of consent go at their age, by the role that sweeps and no other', async () => {
  const { db, tenant, clock } = world;
  const receive = (days: number) => {
    const at = new Date(clock.now().getTime() - days * DAY);
    return world.inTenant(
      (tx) => tx`
        insert into consent_receipts (id, kind, subject, purpose, granted, status, given_at,
          received_at, notice_version, notice_language, notice_stated, method, revision)
        values (gen_random_uuid(), 'decision', ${world.person()}, 'statistics', true,
                'ConsentGiven', ${at}, ${at}, '1', 'en', true, 'single', 1)`,
    );
  };
  await receive(3 * 365 + 1);
  await receive(100);
  await retention.sweep(tenant);
  assert.equal((await inTenant(db, { tenant, now: clock.now() }, receiptsAge)).rows, 1);
  await assert.rejects(
    world.inTenant((tx) => sweepReceipts(tx, clock.now())),
    /permission denied/,
  );
});

test('rows are planted by the system alone, on record, into columns that are declared', async () => {
  const { inForce, actor } = asker();
  assert.throws(() => authorize(inForce, actor, 'canary.write'), { code: 'forbidden' });
  const misplaced = plant('usage', 1, { rows: [{ name: 'x', values: { 'no-such': 'y' } }] });
  await assert.rejects(misplaced, { code: 'import-not-understood' });
  await assert.rejects(plant('consent-receipts', 1), { code: 'import-not-understood' });
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  assert.ok(
    entries.some(({ event, fields }) => event === 'canary.imported' && fields['rows'] === 1),
  );
});

test('every pass says what it swept, up to where, and how old the oldest is', async () => {
  await plant('page-views', 25);
  await retention.sweep(world.tenant);
  const [latest] = (await retention.sweeps(world.tenant, 100)).filter(
    ({ dataType }) => dataType === 'page-views',
  );
  assert.ok(latest?.oldest && latest.oldest >= latest.cutoff);
  assert.equal(latest.limitMs, 30 * DAY);
});

test('while the engine is away a pass fails, everything else goes on, and the next pass makes up', async () => {
  const [old] = await plant('page-views', 45);
  const before = choresDone;
  isEngineAway = true;
  await assert.rejects(retention.sweepAll(), { code: 'events-unavailable' });
  assert.equal(choresDone, before + 1);
  isEngineAway = false;
  await retention.sweepAll();
  assert.equal(await isActive('page_views', old), false);
});

test('a start leaves to a later pass what may wait, and nothing that is overdue beside it', async () => {
  const [planted] = await plant('page-views', 45);
  await retention.sweep(world.tenant);
  const [first] = await plant('page-views', 45);
  const mayWait = async (_: unknown, messages: readonly bigint[]) =>
    messages.every((message) => String(message) === first);
  await retention.sweepAll({ mayWait });
  assert.deepEqual(
    [await isActive('page_views', planted), await isActive('page_views', first)],
    [false, true],
  );
  const [second] = await plant('page-views', 45);
  await retention.sweepAll({ mayWait });
  assert.deepEqual(
    [await isActive('page_views', first), await isActive('page_views', second)],
    [false, false],
  );
});
