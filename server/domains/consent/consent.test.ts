import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { PurposeId, type SubjectId } from '#base/ids';
import { readAudit } from '#core/audit';
import { inTenant } from '#core/tenancy';
import { consentDomain, consentState, renderReceipt, type Signals } from '#domains/consent';
import { type Desk, openDesk } from '#testing/consent-desk';
import { consentPolicy } from '#testing/consent-policy';
import { useWorld } from '#testing/world';

const insights = PurposeId('insights');
const monitoring = PurposeId('monitoring');
const monday = new Date('2026-03-02T09:00:00Z');
const tuesday = new Date('2026-03-03T09:00:00Z');
const NONE: Signals = { gpc: false, dnt: false, doNotSell: false };
const GPC: Signals = { ...NONE, gpc: true };

let desk: Desk;
let other: Desk;
// Before the world's own: the gate must let go of its connection while there is one.
after(async () => {
  await desk?.consent.close();
  await other?.consent.close();
});
const world = useWorld({
  policies: [consentPolicy, consentPolicy],
  setUp: async (opened) => {
    desk = await openDesk(opened);
    other = await openDesk(opened, desk.keys);
  },
});

const single = (granted: boolean, givenAt?: Date, purpose = insights) =>
  ({ purpose, granted, givenAt, method: 'single' }) as const;

async function ask(from: Desk, subject: SubjectId, purpose = insights, signals = NONE) {
  await from.consent.gate.load(world.tenant, [subject]);
  const policy = world.policies.inForce(world.tenant);
  return from.consent.gate.decide({ policy, purpose, subject, signals });
}

async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await test()) return;
    await wait(20);
  }
  assert.fail('it did not happen within two seconds');
}

test('a withdrawal overrides every earlier yes, whatever order the two arrive in', async () => {
  for (const order of [
    [true, false],
    [false, true],
  ]) {
    const asked = desk.asked();
    for (const granted of order) {
      await desk.consent.record(asked, [single(granted, granted ? monday : tuesday)]);
    }
    const { because } = await ask(desk, await desk.subjectOf(asked.handle));
    assert.match(because, /^consent-(withdrawn|refused)$/);
  }
});

test('of two decisions at the same moment the refusal stays', async () => {
  for (const order of [
    [true, false],
    [false, true],
  ]) {
    const asked = desk.asked();
    for (const granted of order) await desk.consent.record(asked, [single(granted, monday)]);
    assert.equal((await ask(desk, await desk.subjectOf(asked.handle))).allowed, false);
  }
});

test('a decision that is sent twice is one receipt', async () => {
  const asked = desk.asked();
  const [first] = await desk.consent.record(asked, [single(true, monday)]);
  const [again] = await desk.consent.record(asked, [single(true, monday)]);
  assert.equal(first?.isNew, true);
  assert.equal(again?.isNew, false);
  assert.deepEqual(again?.receipt, first?.receipt);
});

test('a yes after a withdrawal in the same millisecond counts, and so does the next withdrawal', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  for (const granted of [true, false, true, false, true]) {
    await desk.consent.record(asked, [single(granted)]);
    assert.equal((await ask(desk, subject)).allowed, granted);
  }
});

test('the status tells a refusal from a withdrawal, and a first consent from a renewal', async () => {
  const asked = desk.asked();
  const statuses: string[] = [];
  for (const granted of [false, true, true, false, false, true]) {
    world.clock.advance(10);
    const [made] = await desk.consent.record(asked, [single(granted)]);
    statuses.push(made?.receipt.status ?? '');
  }
  assert.deepEqual(statuses, [
    'ConsentRefused',
    'ConsentGiven',
    'RenewedConsentGiven',
    'ConsentWithdrawn',
    'ConsentWithdrawn',
    'ConsentGiven',
  ]);
});

test('a decision dated in the future is refused, and one of a clock slightly ahead counts from now', async () => {
  const { clock } = world;
  const later = new Date(clock.now().getTime() + 3_600_000);
  const asked = desk.asked();
  await assert.rejects(desk.consent.record(asked, [single(true, later)]), {
    code: 'consent-in-the-future',
  });
  const soon = new Date(clock.now().getTime() + 2_000);
  const [made] = await desk.consent.record(asked, [single(true, soon)]);
  assert.deepEqual(made?.receipt.givenAt, clock.now());
});

test('nobody can agree to a notice that is not in force, and anybody can refuse under an old one', async () => {
  const notice = { version: '2', language: 'en' };
  const asked = desk.asked();
  await assert.rejects(desk.consent.record(asked, [{ ...single(true), notice }]), {
    code: 'consent-notice-not-in-force',
  });
  const [refused] = await desk.consent.record(asked, [{ ...single(false), notice }]);
  assert.deepEqual(refused?.receipt.notice, { ...notice, stated: true });
  const german = { version: '3', language: 'de' };
  const [agreed] = await desk.consent.record(asked, [{ ...single(true), notice: german }]);
  assert.deepEqual(agreed?.receipt.notice, { ...german, stated: true });
});

test('an essential purpose cannot be withdrawn, and nothing of the request is written', async () => {
  const asked = desk.asked();
  const delivery = single(false, undefined, PurposeId('delivery'));
  await assert.rejects(desk.consent.record(asked, [single(true), delivery]), {
    code: 'consent-purpose-essential',
  });
  const subject = await desk.subjectOf(asked.handle);
  assert.equal((await world.inTenant((tx) => consentState(tx, subject))).decisions.size, 0);
});

test('one call withdraws everything optional, and what stays is said on each receipt', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true)]);
  const recorded = await desk.consent.withdraw(asked);
  assert.deepEqual(recorded.map(({ receipt }) => receipt.purpose).toSorted(), [
    ...['insights', 'journeys', 'monitoring', 'research'],
  ]);
  for (const purpose of [insights, monitoring]) {
    assert.equal((await ask(desk, subject, purpose)).allowed, false);
  }
  assert.equal((await ask(desk, subject, PurposeId('delivery'))).because, 'essential');
  const { receipt } = recorded[0] ?? assert.fail();
  const under = await desk.consent.policyOf(world.tenant, receipt.revision);
  const text = JSON.stringify(renderReceipt(receipt, under)['dpv:hasOtherProcess']);
  assert.match(text, /"dct:identifier":"delivery"/);
  assert.match(text, /A6-1-b/);
});

test('each decision has its audit entry, and each withdrawal is in the forget journal', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true, monday)]);
  await desk.consent.record(asked, [single(false, tuesday)]);
  await desk.consent.record(asked, [single(false, tuesday)]);
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  const own = entries.filter((entry) => entry.subject === subject);
  assert.deepEqual(
    own.map(({ event }) => event),
    ['consent.recorded', 'consent.withdrawn'],
  );
  assert.equal(own[0]?.actorId, 'writeKey1');
  assert.deepEqual(
    desk.journalled.filter((entry) => entry.subject === subject),
    [{ kind: 'consent.withdrawn', tenant: world.tenant, subject, purpose: insights, at: tuesday }],
  );
});

test('a restored backup learns every withdrawal that it lost, and keeps what came after', async () => {
  const { tenant } = world;
  const [lost, renewed] = [world.person(), world.person()];
  const asked = desk.asked();
  const back = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true, monday)]);
  const kind = 'consent.withdrawn';
  const journalled = [
    { kind, tenant, subject: back, purpose: insights, at: tuesday } as const,
    { kind, tenant, subject: lost, purpose: insights, at: tuesday } as const,
    { kind, tenant: world.tenants[1] ?? tenant, subject: renewed, purpose: insights, at: tuesday },
    { kind: 'subject.erased', tenant, subject: renewed, at: tuesday },
  ] as const;
  assert.equal(await desk.consent.replay(tenant, journalled), 2);
  assert.equal(await desk.consent.replay(tenant, journalled), 0, 'once is enough');
  await until(async () => (await ask(desk, back)).because === 'consent-withdrawn');
  assert.equal((await ask(desk, renewed)).because, 'consent-not-given');
  await desk.consent.record(asked, [single(true)]);
  await desk.consent.replay(tenant, journalled);
  assert.equal((await ask(desk, back)).allowed, true);
});

test('a withdrawal that cannot be journalled is not acknowledged and leaves nothing', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  const { append } = desk.journal;
  desk.journal.append = () => Promise.reject(new Error('no space'));
  await assert.rejects(desk.consent.record(asked, [single(false)]), /no space/);
  desk.journal.append = append;
  assert.equal((await world.inTenant((tx) => consentState(tx, subject))).decisions.size, 0);
});

test('a withdrawal on one server closes the gate of every other one', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true)]);
  await until(async () => (await ask(other, subject)).allowed);
  await desk.consent.withdraw(asked);
  assert.equal((await ask(desk, subject)).allowed, false, 'at once where it was said');
  await until(async () => !(await ask(other, subject)).allowed);
});

test('a server whose listening connection died lets go of what it knew', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true)]);
  await until(async () => (await ask(other, subject)).allowed);
  await world.db.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where query ilike 'listen%' and datname = current_database()`;
  await until(() => {
    const policy = world.policies.inForce(world.tenant);
    const question = { policy, purpose: insights, subject, signals: NONE };
    return other.consent.gate.decide(question).because === 'decisions-not-loaded';
  });
  await desk.consent.withdraw(asked);
  await until(async () => !(await ask(other, subject)).allowed);
});

test('the gate waits for nothing once a person is loaded, and loads many at once', async () => {
  const { gate } = desk.consent;
  const people = Array.from({ length: 500 }, () => world.person());
  const loads = people.map((person) => gate.load(world.tenant, [person]));
  await Promise.all(loads);
  assert.equal(gate.load(world.tenant, people), undefined);
  const policy = world.policies.inForce(world.tenant);
  for (const subject of people) {
    const { because } = gate.decide({ policy, purpose: insights, subject, signals: NONE });
    assert.equal(because, 'consent-not-given');
  }
});

test('a signal that overrules a consent is put on record once, and stands until they decide anew', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  const [given] = await desk.consent.record(asked, [single(true, monday)]);
  const { because, conflict } = await ask(desk, subject, insights, GPC);
  assert.equal(because, 'signal-gpc');
  assert.equal(conflict?.overrules, given?.receipt.id);
  const conflicts = conflict ? [conflict, conflict] : [];
  const written = await Promise.all([
    desk.consent.recordConflicts(world.tenant, conflicts),
    other.consent.recordConflicts(world.tenant, conflicts),
  ]);
  assert.deepEqual(written.toSorted(), [0, 1], 'two servers, twice each, one receipt');
  assert.equal((await ask(desk, subject, insights, GPC)).conflict, undefined);
  await until(async () => (await ask(other, subject, insights, GPC)).conflict === undefined);
  assert.equal((await ask(desk, subject)).because, 'signal-gpc', 'from a browser that is silent');
  const { receipts } = await desk.consent.overview(asked, { signals: GPC });
  assert.deepEqual(receipts.map(({ kind }) => kind).toSorted(), ['decision', 'signal']);
  await desk.consent.record(asked, [single(true, tuesday)]);
  assert.equal((await ask(desk, subject)).because, 'consent-given');
  assert.equal((await ask(desk, subject, insights, GPC)).because, 'signal-gpc');
});

test('how a purpose stands goes by the region of whoever asks, as the gate does', async () => {
  const [monitoring, asked] = ['monitoring', desk.asked()];
  for (const [region, because] of [
    ['US', 'on-by-default'],
    ['DE', 'region-asks-consent'],
    ['', 'region-asks-consent'],
  ] as const) {
    const { purposes } = await desk.consent.overview(asked, { signals: NONE, region });
    const question = { policy: asked.inForce, purpose: monitoring, subject: undefined };
    const decided = desk.consent.gate.decide({ ...question, signals: NONE, region });
    const { granted, because: why } = purposes[monitoring] ?? assert.fail();
    assert.deepEqual([granted, why], [decided.allowed, because]);
    assert.equal(decided.because, because);
  }
});

test('a receipt is an ISO/IEC TS 27560 record with the fields that the GDPR adds', async () => {
  const asked = desk.asked();
  await desk.consent.record(asked, [single(false, monday)]);
  const [made] = await desk.consent.record(asked, [single(true, tuesday)]);
  const { receipt } = made ?? assert.fail();
  const under = await desk.consent.policyOf(world.tenant, receipt.revision);
  const { receipts } = await desk.consent.overview(asked, { signals: NONE });
  const record = renderReceipt(receipt, under, receipts) as Record<string, unknown>;
  const fields = [
    ...['dct:conformsTo', 'dct:identifier', 'dpv:hasDataSubject', 'dpv:hasNotice', 'dct:language'],
    ...['dpv:hasProcess', 'dpv:hasConsentStatus'],
  ];
  for (const field of fields) assert.ok(record[field], field);
  const [process] = record['dpv:hasProcess'] as Record<string, unknown>[];
  const told = [
    ...['dpv:hasPurpose', 'dpv:hasLegalBasis', 'dpv:hasPersonalData', 'dpv:hasDataController'],
    ...['dpv:hasStorageCondition', 'dpv:hasRecipient', 'dpv:hasJurisdiction', 'dpv:hasRight'],
    ...['dpv:hasProcessing', 'dpv:hasConsentControl'],
  ];
  for (const field of told) assert.ok(process?.[field], field);
  const text = JSON.stringify(record);
  for (const said of ['P90D', 'Partner Ltd', 'A6-1-a', 'ServiceUsageAnalytics', 'isExercisedAt']) {
    assert.ok(text.includes(said), said);
  }
  const states = record['dpv:hasConsentStatus'] as { '@type': string }[];
  assert.deepEqual(
    states.map((state) => state['@type']),
    ['dpv:ConsentGiven', 'dpv:ConsentRefused'],
  );
});

test('a receipt is never changed, and only an erasure takes it away', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true)]);
  const { conflict } = await ask(desk, subject, insights, GPC);
  await desk.consent.recordConflicts(world.tenant, conflict ? [conflict] : []);
  const denied = { code: '42501' };
  await assert.rejects(
    world.inTenant((tx) => tx`update consent_receipts set granted = true`),
    denied,
  );
  await assert.rejects(
    world.inTenant((tx) => tx`delete from consent_receipts`),
    denied,
  );
  await assert.rejects(
    world.inTenant((tx) => tx`truncate consent_receipts`),
    denied,
  );
  const scope = { tenant: world.tenant, role: 'troth_eraser', now: world.clock.now() } as const;
  const { erase } = consentDomain.personalData;
  assert.deepEqual(await inTenant(world.db, scope, (tx) => erase?.(tx, subject) ?? assert.fail()), {
    consent_receipts: 2,
  });
  await until(async () => (await ask(desk, subject)).because === 'consent-not-given');
});

test('decisions of one tenant are nothing to another, also under a forged context', async () => {
  const asked = desk.asked();
  const subject = await desk.subjectOf(asked.handle);
  await desk.consent.record(asked, [single(true)]);
  const [, elsewhere] = world.tenants;
  const seen = await world.inTenant(
    (tx) => consentState(tx, subject),
    elsewhere ? { tenant: elsewhere } : {},
  );
  assert.equal(seen.decisions.size, 0);
  const rows = await world.db.sql.begin(async (tx) => {
    const schema = `tenant_${world.tenant.replace('-', '_')}`;
    return tx`select count(*)::int as rows from ${tx(schema)}.consent_receipts`;
  });
  assert.equal(rows[0]?.['rows'], 0, 'without a signed context there is nothing to see');
});
