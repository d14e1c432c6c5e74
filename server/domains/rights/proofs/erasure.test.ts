import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';
import { openReceiver } from '#testing/receivers';

const proven = useProven();

/** No accounts are kept yet, and nobody can ask alone. */
const NOT_YET = ['CD-106', 'LK-13', 'MG-76'];

/** Its policy has one age for all places. */
const ONE_AGE = ['CW-66'];

const events = (from: string, to: string): Edit => ['domains/rights/store-events.ts', from, to];
const hiding = (from: string, to: string): Edit => ['domains/rights/hiding.ts', from, to];
const requests = (from: string, to: string): Edit => ['domains/rights/requests.ts', from, to];

test('who asks is forgotten everywhere, with a certificate, and not before what was published', async () => {
  await proven.keeps('erasure.complete', NOT_YET);
  await proven.keeps('erasure.bytes-gone');
  await proven.keeps('erasure.certificate');
  await proven.keeps('erasure.hidden-at-once');
  await proven.keeps('erasure.recoverable', NOT_YET);
  await proven.keeps('erasure.minor');
  await proven.keeps('erasure.exception');
  await proven.keeps('erasure.request-checked');
});

test('rows that an erasure leaves and does not count are found', async () => {
  await proven.restart([
    events('new Map(rows.map((row) => [SubjectId(row.person), row.rows]))', 'new Map()'),
  ]);
  await proven.breaks('erasure.complete', NOT_YET);
  await proven.breaks('erasure.bytes-gone');
  await proven.breaks('erasure.certificate');
  await proven.breaks('erasure.minor');
});

test('rows in the archive that an erasure neither counts nor deletes are found', async () => {
  const both =
    '{ databases: [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)], list: NAMED_IN }';
  await proven.restart([events(both, '{ databases: [eventsDatabaseOf(tenant)], list: NAMED_IN }')]);
  // The one service that keeps an archive.
  for (const control of ['erasure.complete', 'erasure.bytes-gone']) {
    const [found] = await proven.prove({ tenant: 'magenta', control });
    assert.equal(found?.state, 'broken', found?.saw);
  }
});

test('a visitor whose link to the person is not followed is found', async () => {
  await proven.restart([
    [
      'domains/ingest/pseudonymise.ts',
      'return visitor === undefined || linkVisitor(visitor);',
      'return visitor !== linkVisitor.name;',
    ],
  ]);
  const [found] = await proven.prove({ tenant: 'magenta', control: 'erasure.complete' });
  assert.equal(found?.state, 'broken', found?.saw);
});

test('a reading that shows who is only hidden is found', async () => {
  await proven.restart([
    ['core/purposes/shown-rows.ts', ' && !hidden.has(tenant, subject)', ''],
    [
      'core/purposes/shown-rows.ts',
      'willing.has(subject)',
      '(willing.has(subject) || hidden.has(tenant, subject))',
    ],
  ]);
  await proven.breaks('erasure.hidden-at-once');
});

test('an archive that shows who is only hidden is found', async () => {
  await proven.restart([
    [
      'domains/retention/archive.ts',
      'return shownRows(people, inForce, { purpose, read });',
      'return [shownRows, people] && read;',
    ],
  ]);
  const control = 'erasure.hidden-at-once';
  const [found] = await proven.prove({ tenant: 'magenta', control });
  assert.equal(found?.state, 'broken', found?.saw);
});

test('a key that outlives its erasure is found', async () => {
  await proven.restart([
    hiding(
      'deps.keys.destroy(permit, one, until)',
      'Promise.resolve({ acknowledged: 1, cutOff: 0, until, permit, one })',
    ),
    hiding('await keys.quarantine(permit, subject, destroyAt);', 'void subject;'),
  ]);
  await proven.breaks('erasure.complete', NOT_YET);
  await proven.breaks('erasure.minor');
  await proven.breaks('erasure.hidden-at-once');
  await proven.breaks('erasure.recoverable', NOT_YET);
});

test('bytes of deleted rows that stay in the files are found', async () => {
  await proven.restart([
    ['domains/rights/verifying.ts', 'await purgeDeleted(db, [...tables]);', 'void purgeDeleted;'],
  ]);
  await proven.breaks('erasure.bytes-gone');
});

test('a deletion that can be undone for another time, or afterwards, is found', async () => {
  await proven.restart([
    requests('now.getTime() + recoverable', 'now.getTime() + recoverable / 2'),
  ]);
  await proven.breaks('erasure.recoverable', NOT_YET);
  await proven.restart([requests('erasure.destroyAt && erasure.destroyAt > now', 'true')]);
  await proven.breaks('erasure.recoverable', NOT_YET);
});

test('a child that is only refused, and not purged, is found', async () => {
  await proven.restart([
    [
      'domains/ingest/check-age.ts',
      "age.below === 'purge' && event.handle",
      'event.handle && false',
    ],
  ]);
  await proven.breaks('erasure.minor');
});

test('an age that is another where somebody is, and not looked up there, is found', async () => {
  const age = (from: string, to: string): Edit => ['domains/ingest/check-age.ts', from, to];
  const own = 'return ruleIn(regions, country) ?? age.minimum;';
  // One age for everybody, the lower and the higher.
  await proven.restart([age(own, 'void [ruleIn, regions]; return age.minimum;')]);
  await proven.breaks('erasure.minor', ONE_AGE);
  await proven.restart([age("if (country === '')", "if (country !== 'none')")]);
  await proven.breaks('erasure.minor', ONE_AGE);
});

test('a certificate that claims more than was counted is found', async () => {
  await proven.restart([
    [
      'domains/rights/certificate.ts',
      'counted,\n        deleted: counted - remains,',
      'counted: counted + 1,\n        deleted: counted + 1,',
    ],
  ]);
  await proven.breaks('erasure.certificate');
});

test('a hold that holds nothing is found, on every ground', async () => {
  await proven.restart([
    ['domains/rights/store-holds.ts', 'return hold?.ground ?? null;', 'return hold && null;'],
  ]);
  await proven.breaks('erasure.exception');
});

test('a demand that nobody confirmed or verified, and a reason that is lost, are found', async () => {
  await proven.restart([
    requests('  checkConfirmed(policy, wanted);\n', ''),
    requests('  checkVerified(policy, actor, wanted);\n', ''),
    requests("wanted.reason ?? 'person-asked'", "'person-asked'"),
  ]);
  await proven.breaks('erasure.request-checked');
});

test('without anybody who could be told, nobody is said to be', async () => {
  await proven.restart();
  const [found] = await proven.prove({ control: 'rights.deadline' });
  assert.equal(found?.state, 'gap', found?.saw);
});

test('a demand that is stuck, and of which nobody is told, is found', async (t) => {
  const receiver = await openReceiver({});
  t.after(() => receiver.close());
  const env = { TROTH_ALERT_WEBHOOK_URL: receiver.url };
  await proven.restart([], env);
  await proven.keeps('rights.deadline');
  await proven.restart(
    [['domains/rights/deadlines.ts', 'WARNED_AT = 0.9', 'WARNED_AT = 0.99']],
    env,
  );
  await proven.breaks('rights.deadline');
  // It is marked, and on record: the alarm alone is missing.
  await proven.restart(
    [['domains/rights/deadlines.ts', 'await tell(tx, { tenant,', 'void tell; void ({ tenant,']],
    env,
  );
  await proven.breaks('rights.deadline');
  // It is raised, and gets no further than the queue.
  await proven.restart(
    [['oversight/alerts/alert.ts', '?.send(alert, idOf(alert));', '; void [way, idOf(alert)];']],
    env,
  );
  await proven.breaks('rights.deadline');
  const ofDemands = receiver.got.filter(({ body }) => body.includes('demand.late'));
  assert.equal(ofDemands.length, 0, 'the operator heard of a canary');
});

test('a watch that only a proof asks for, and an alarm that reached nobody, are found', async (t) => {
  const receiver = await openReceiver({});
  t.after(() => receiver.close());
  await proven.restart([], { TROTH_ALERT_WEBHOOK_URL: receiver.url });
  const ofWatch = proven.sql`identifier = 'rights.watch-deadlines'`;
  const [before] = await proven.sql`
    select last_execution as at from troth_jobs._private_known_crontabs where ${ofWatch}`;
  const cameRound = (at: Date) => proven.sql`
    update troth_jobs._private_known_crontabs
    set known_since = ${at}, last_execution = ${at} where ${ofWatch}`;
  await cameRound(new Date(Date.now() - 3 * 3_600_000));
  await proven.breaks('rights.deadline');
  await cameRound((before?.['at'] as Date | null) ?? new Date());
  const alert = { kind: 'demand.late', tenant: 'magenta', demands: 1 };
  await proven.sql`
    select troth_sec.enqueue('alerts.tell-operator', ${JSON.stringify({ alert })}::text::json, 1,
                             now() + interval '1 day', 'lost')`;
  const lost = proven.sql`troth_jobs._private_jobs`;
  await proven.sql`update ${lost} set attempts = max_attempts where key = 'lost'`;
  await proven.breaks('rights.deadline');
  await proven.sql`delete from ${lost} where key = 'lost'`;
});

test('an erasure that waits for an engine which is away is a gap, not broken', async () => {
  await proven.restart([
    [
      'domains/rights/walker.ts',
      'deleteRows(this.#deps, tenant, theirs)',
      "Promise.reject(Object.assign(new Error(deleteRows.name), { code: 'events-unavailable' }))",
    ],
  ]);
  const [found] = await proven.prove({ tenant: 'clanker', control: 'erasure.complete' });
  assert.equal(found?.state, 'gap', found?.saw);
  assert.match(found?.saw ?? '', /waits: events-unavailable/);
});
