import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';
import { asOperator } from '#testing/running';

const proven = useProven();

/** What comes from accounts, a vault, or the door for addresses is not made yet. */
const NOT_MADE = ['CW-09', 'CW-22', 'CD-87', 'CD-94', 'CD-95'];

/** What they ask for is shorter than the longest on offer. */
const WITHIN_BOUNDS = ['MG-79', 'MG-80'];

const sweep = (from: string, to: string): Edit => ['domains/retention/sweep.ts', from, to];
const limits = (from: string, to: string): Edit => ['domains/retention/limits.ts', from, to];

test('nothing is older than the policy says, and nothing goes before its time', async () => {
  await proven.keeps('retention.limit', NOT_MADE);
  await proven.keeps('retention.tiers');
  await proven.keeps('retention.until-removed', NOT_MADE);
  await proven.keeps('retention.every-type-limited');
  await proven.keeps('retention.sweep-runs');
  await proven.keeps('retention.tenant-choice');
});

test('a sweep that deletes nothing is found', async () => {
  await proven.restart([
    sweep('if (count > 0) await rows.deleteDue(events, place, ending);', 'void rows.deleteDue;'),
  ]);
  await proven.breaks('retention.limit', NOT_MADE);
  await proven.breaks('retention.tiers');
  await proven.breaks('retention.sweep-runs');
});

test('a sweep that spares one place, or rows of no known one, is found', async () => {
  const store = (from: string, to: string): Edit => ['domains/retention/store-events.ts', from, to];
  for (const place of ['DE', '']) {
    await proven.restart([
      store(
        'and country not in {spared:Array(String)})\n',
        `and country not in {spared:Array(String)} and country != '${place}')\n`,
      ),
      store('countIf(country in {spared:Array(String)})', `countIf(country = '${place}')`),
    ]);
    await proven.breaks('retention.limit', NOT_MADE);
    await proven.breaks('retention.tiers');
  }
});

test('a limit that is enforced longer, or shorter, than it is published is found', async () => {
  await proven.restart([
    limits('now.getTime() - limitMs + marginMs', 'now.getTime() - 2 * limitMs + marginMs'),
    limits('now.getTime() - limitMs + Math', 'now.getTime() - 2 * limitMs + Math'),
  ]);
  await proven.breaks('retention.limit', NOT_MADE);
  await proven.restart([
    limits('now.getTime() - limitMs + marginMs(limitMs)', 'now.getTime() - limitMs / 2'),
  ]);
  await proven.breaks('retention.limit', NOT_MADE);
  await proven.breaks('retention.tiers');
});

test('a sweep that comes less than an hour too late is found', async () => {
  const late = 'now.getTime() - limitMs - 3_000_000';
  await proven.restart([
    limits('now.getTime() - limitMs + marginMs(limitMs)', late),
    limits('now.getTime() - limitMs + Math.min(limitMs / 2, LAG_MS)', late),
  ]);
  await proven.breaks('retention.limit', NOT_MADE);
  await proven.breaks('retention.tiers');
  await proven.breaks('retention.sweep-runs');
});

test('a type that the sweep forgets is found by the promise about it, and by no other', async () => {
  await proven.restart([
    sweep(
      '  if (limits.totalMs === null) return;',
      "  if (limits.totalMs === null || dataType === 'error-logs') return;",
    ),
  ]);
  const found = await proven.prove({ tenant: 'clanker', control: 'retention.limit' });
  const states = new Map(found.map(({ promises: [id], state }) => [id, state]));
  assert.deepEqual([states.get('CW-11'), states.get('CW-15')], ['kept', 'broken']);
});

test('rows that do not move to the archive, and rows without a limit that are swept, are found', async () => {
  await proven.restart([
    sweep('  if (activeMs !== null) {', '  if (activeMs !== null && limits.totalMs === null) {'),
    sweep('  if (limits.totalMs === null) return;', ''),
    sweep('const limitMs = limits.totalMs;', 'const limitMs = limits.totalMs ?? 31_536_000_000;'),
  ]);
  await proven.breaks('retention.tiers');
  await proven.breaks('retention.until-removed', NOT_MADE);
});

test('a choice that ends no row is found, one beyond what is offered, and one that reaches others', async () => {
  await proven.restart([
    [
      'domains/retention/open.ts',
      'await applyChoices(deps, asker.inForce, { dataType, region, choices: of(tenant), ruleIn });',
      'void [applyChoices, dataType, region];',
    ],
  ]);
  await proven.breaks('retention.tenant-choice');
  await proven.restart([limits('asked.milliseconds > most', 'asked.milliseconds < 0')]);
  await proven.breaks('retention.tenant-choice', WITHIN_BOUNDS);
  await proven.restart([limits('const most = Math.max(own, ...lengths);', 'const most = own;')]);
  await proven.breaks('retention.tenant-choice', ['MG-77', ...WITHIN_BOUNDS]);
  await proven.restart([
    [
      'domains/retention/open.ts',
      'await choose(deps, asker, chosen);',
      "await choose(deps, asker, { ...chosen, region: '' });",
    ],
  ]);
  await proven.breaks('retention.tenant-choice');
});

test('a choice that ends its rows less than an hour too late is found', async () => {
  await proven.restart([
    sweep('now.getTime() + Math.min(marginMs(limitMs), DAY_MS)', 'now.getTime() - 3_000_000'),
  ]);
  await proven.breaks('retention.tenant-choice');
});

const choose = async (tenant: string, dataType: string, region: string, choice: string | null) => {
  const path = `/v1/t/${tenant}/retention/${dataType}`;
  const body = { choice, ...(region !== '' && { region }) };
  const answer = await asOperator(proven.server, path, { method: 'PUT', body });
  assert.equal(answer.status, 200, await answer.text());
};
/** A row as real events leave them; it ends by nothing but its age. */
const leave = (place: string, country: string, days: number) =>
  proven.events.command(
    `insert into ${place} (received_at, event_at, name, country, subject, message, expires)
     select now() - interval ${days} day, now(), 'left', '${country}', unhex(repeat('0', 32)),
            rand64(), toDateTime(4294967295, 'UTC')`,
  );

test('a longer life that a customer chose is no broken promise, and a shorter one holds where it is', async () => {
  await proven.restart();
  await choose('magenta', 'analytics-events', 'US', 'extended');
  await choose('loopkit', 'page-views', '', 'gdpr-mode');
  // An archive is made when first needed.
  await proven.keeps('retention.tiers');
  const [active, archive] = ['tenant_magenta', 'archive_magenta'].map(
    (database) => `${database}.analytics_events`,
  ) as [string, string];
  await leave(archive, 'US', 1_000);
  await proven.keeps('retention.limit', NOT_MADE);
  await proven.keeps('retention.tiers');
  await choose('magenta', 'analytics-events', 'EU', 'eu');
  await leave(archive, 'DE', 400);
  const found = await proven.prove({ tenant: 'magenta', control: 'retention.tiers' });
  const states = new Map(found.map(({ promises: [id], state }) => [id, state]));
  assert.deepEqual([states.get('MG-72'), states.get('MG-74')], ['broken', 'kept']);
  for (const place of [active, archive]) {
    await proven.events.command(`alter table ${place} delete where name = 'left'`);
  }
  for (const region of ['US', 'EU']) await choose('magenta', 'analytics-events', region, null);
  await choose('loopkit', 'page-views', '', null);
});

test('a sweep that leaves no record is found', async () => {
  await proven.restart([
    sweep('await writeSweeps(deps.db.sql, permit, work.swept);', 'void writeSweeps;'),
  ]);
  await proven.sql`truncate troth.sweeps`;
  await proven.breaks('retention.every-type-limited');
  await proven.breaks('retention.sweep-runs');
});

test('a sweep that only ever runs because somebody asks for it is found', async () => {
  await proven.restart();
  const unscheduled: Edit = ['standing-jobs.ts', "      every: '*/10 * * * *',\n", ''];
  const crontab = proven.sql`troth_jobs._private_known_crontabs`;
  const ofSweep = proven.sql`identifier = 'retention.sweep'`;
  // As it is before its first time.
  await proven.sql`update ${crontab} set last_execution = null, known_since = now() where ${ofSweep}`;
  await proven.keeps('retention.sweep-runs');
  await proven.restart([unscheduled]);
  await proven.sql`
    update ${crontab} set last_execution = now() - interval '26 minutes' where ${ofSweep}`;
  await proven.breaks('retention.sweep-runs');
  await proven.sql`
    update ${crontab} set last_execution = null, known_since = now() - interval '26 minutes'
    where ${ofSweep}`;
  await proven.breaks('retention.sweep-runs');
  await proven.sql`delete from ${crontab} where ${ofSweep}`;
  await proven.breaks('retention.sweep-runs');
});

test('a server that was away for long is not taken for one without a schedule', async () => {
  await proven.sql`
    insert into troth_jobs._private_known_crontabs (identifier, known_since, last_execution)
    values ('retention.sweep', now() - interval '9 days', now() - interval '9 days')
    on conflict (identifier) do update set last_execution = excluded.last_execution`;
  await proven.restart();
  await proven.keeps('retention.sweep-runs');
});
