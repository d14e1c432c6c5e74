import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { KeyId, SubjectId, TenantId } from '#base/ids';
import { eventsDatabaseOf } from '#core/tenancy';
import type { Events } from '#platform/events';
import { silentLog } from '#platform/log';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import {
  ACTIONS,
  type Action,
  type Actor,
  applyPolicy,
  authorize,
  endPolicy,
  finishApplies,
  listRevisions,
  openPolicies,
  reasonOf,
} from './index.ts';

const world = useWorld();
const draft = (text: string) => ({
  text,
  file: 'sample.yaml',
  actor: world.operator,
  now: world.clock.now(),
  sameVersion: true,
});
const numberOf = async (sql: string) => {
  const [row] = await world.events.query<{ n: string }>(sql);
  return Number(row?.n);
};

test('a document with open errors changes nothing, and what is in force stays', async () => {
  const before = world.policies.inForce(world.tenant);
  const noBasis = samplePolicy(world.tenant).replace('basis: contract', 'basis: because');
  const contradicting = samplePolicy(world.tenant).replace('default: off', 'default: on');
  for (const text of [noBasis, contradicting, 'not: [a policy', '', '\0']) {
    await assert.rejects(world.apply(text), { code: 'policy-has-errors' }, text.slice(0, 30));
  }
  await world.policies.refresh();
  assert.equal(world.policies.inForce(world.tenant), before);
  assert.equal((await listRevisions(world.db, world.tenant)).length, 1);
});

test('applying what is in force already makes no revision', async () => {
  const applied = await world.apply(samplePolicy(world.tenant));
  assert.deepEqual([applied.changed, applied.revision], [false, 1]);
});

test('a new field gets its column, and the revision before it is kept with its text', async () => {
  const wider = samplePolicy(world.tenant).replace(
    'ok: boolean',
    'ok: boolean\n      region: country',
  );
  const applied = await world.apply(wider);
  assert.deepEqual([applied.changed, applied.revision], [true, 2]);
  const database = eventsDatabaseOf(world.tenant);
  assert.equal(
    await numberOf(
      `select count() as n from system.columns where database = '${database}' and name = 'f_region'`,
    ),
    1,
  );
  const revisions = await listRevisions(world.db, world.tenant);
  assert.deepEqual(
    revisions.map(({ revision, inForce }) => [revision, inForce]),
    [
      [2, true],
      [1, false],
    ],
  );
});

test('a field that changes its type is refused, and nothing is applied', async () => {
  const changed = samplePolicy(world.tenant).replace('amount: number', 'amount: boolean');
  await assert.rejects(world.apply(changed), { code: 'field-type-changed' });
});

test('every server hears of a new revision, also one that another server applied', async () => {
  const other = await openPolicies(world.db, { log: silentLog });
  const heard = Promise.withResolvers<number>();
  const stop = other.onChange(({ revision }) => heard.resolve(revision));
  const { revision } = await world.apply(
    samplePolicy(world.tenant).replace('title: Sample', 'title: Sample, again'),
  );
  assert.equal(await heard.promise, revision);
  assert.equal(other.inForce(world.tenant).policy.title, 'Sample, again');
  stop();
  await other.close();
});

test('a shorter limit binds the rows that are there already', async () => {
  const database = eventsDatabaseOf(world.tenant);
  const received = new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, -1);
  const expires = Math.floor(Date.now() / 1000) + 50 * 86_400;
  await world.events.insert({
    database,
    table: 'usage',
    columns: ['received_at', 'expires'],
    format: 'JSONEachRow',
    rows: [{ received_at: received, expires }],
  });
  assert.equal(await numberOf(`select count() as n from ${database}.usage`), 1);
  await world.apply(samplePolicy(world.tenant, { retain: 'P30D' }));
  const end = Date.now() + 30_000;
  const left = () => numberOf(`select count() as n from ${database}.usage`);
  while ((await left()) > 0 && Date.now() < end) await new Promise((r) => setTimeout(r, 200));
  assert.equal(await left(), 0);
});

/** The engine's client, which fails at the n-th statement as a crash would. */
function failingAt(nth: number): Events {
  let asked = 0;
  return {
    ...world.events,
    command: (sql, params) => {
      if (++asked === nth) throw new Error('cut off');
      return world.events.command(sql, params);
    },
  };
}

test('an apply that is cut off leaves the old revision or the new one, and ends when run again', async () => {
  const tenant = TenantId(`cut-${world.tenant.slice(-8)}`);
  const first = samplePolicy(tenant);
  const second = samplePolicy(tenant, { retain: 'P20D' }).replace(
    'ok: boolean',
    'ok: boolean\n      region: country',
  );
  await applyPolicy(world.db, world.events, draft(first));
  for (let nth = 1; ; nth++) {
    const cut = applyPolicy(world.db, failingAt(nth), draft(second));
    const ended = await cut.then(
      () => true,
      () => false,
    );
    const inForce = (await listRevisions(world.db, tenant)).filter((row) => row.inForce);
    assert.equal(inForce.length, 1, 'exactly one revision is in force');
    await finishApplies(world.db, world.events, world.clock.now());
    const open = await world.db.admin`
      select 1 from troth.policy_statements
      join troth.policies using (tenant, revision)
      where tenant = ${tenant} and in_force and done_at is null`;
    assert.equal(open.length, 0);
    if (ended) break;
    assert.ok(nth < 20);
  }
  const [newest] = await listRevisions(world.db, tenant);
  assert.equal(newest?.inForce, true);
  await world.events.command(`drop database ${eventsDatabaseOf(tenant)} sync`);
});

test('ten applies at once leave one revision in force, and each of them is on record', async () => {
  const texts = Array.from({ length: 10 }, (_, index) =>
    samplePolicy(world.tenant).replace('version: 1.0.0', `version: 1.${index}.1`),
  );
  const before = (await listRevisions(world.db, world.tenant)).length;
  await Promise.all(texts.map((text) => world.apply(text)));
  const after = await listRevisions(world.db, world.tenant);
  assert.equal(after.length, before + 10);
  assert.equal(after.filter(({ inForce }) => inForce).length, 1);
});

test('the statements of a revision are stored with their checksums, in order', async () => {
  const rows = await world.db.admin<{ statement: string; done: boolean }[]>`
    select statement, done_at is not null as done
    from troth.policy_statements
    where tenant = ${world.tenant} and revision = 1
    order by phase desc, number`;
  assert.match(rows[0]?.statement ?? '', /^create database if not exists/);
  assert.ok(rows.every(({ done }) => done));
});

const context = { tenant: TenantId('acme'), revision: 7 };
const key: Actor = { kind: 'write-key', id: KeyId('abcd1234'), tenant: TenantId('acme') };

test('a permit names its act, its actor and its revision, and nothing that looks like one is one', () => {
  const permit = authorize(context, key, 'event.ingest');
  assert.deepEqual([permit.action, permit.revision, permit.tenant], ['event.ingest', 7, 'acme']);
  assert.ok(Object.isFrozen(permit));
  const genuine = permit.constructor as unknown as { isGenuine(permit: object): boolean };
  assert.equal(genuine.isGenuine(permit), true);
  assert.equal(genuine.isGenuine({ ...permit }), false);
  assert.doesNotMatch(inspect(permit), /genuine/);
});

test("another tenant's key, another kind of actor and another person's record get one answer", () => {
  const ada = SubjectId('a'.repeat(32));
  const person: Actor = {
    kind: 'subject',
    id: KeyId('abcd1234'),
    tenant: context.tenant,
    subject: ada,
  };
  const refused = { code: 'forbidden' };
  const elsewhere = { ...context, tenant: TenantId('other') };
  assert.throws(() => authorize(elsewhere, key, 'event.ingest'), refused);
  assert.throws(() => authorize(context, key, 'policy.apply'), refused);
  const { tenant: _, ...homeless } = key;
  assert.throws(() => authorize(context, homeless, 'event.ingest'), refused);
  assert.ok(authorize(context, person, 'consent.record', { subject: ada }));
  const eve = SubjectId('e'.repeat(32));
  assert.throws(() => authorize(context, person, 'consent.record', { subject: eve }), refused);
});

test('whoever has a tenant of their own gets no leave in another, for any act', () => {
  const tenants = fc.constantFrom('acme', 'other', 'third').map(TenantId);
  const kinds = fc.constantFrom('operator', 'write-key', 'subject', 'system');
  const actions = fc.constantFrom(...(Object.keys(ACTIONS) as Action[]));
  fc.assert(
    fc.property(tenants, tenants, kinds, actions, (home, place, kind, action) => {
      const actor: Actor = { kind: kind as Actor['kind'], id: KeyId('abcd1234'), tenant: home };
      const ask = () => authorize({ tenant: place, revision: 1 }, actor, action);
      if (home !== place) assert.throws(ask);
    }),
  );
});

test('a change without a reason is refused before it is looked at, and no reason of a kind is empty', () => {
  for (const written of [undefined, '', '  ', 'regulation:', 'security: ', 'x'])
    assert.throws(() => reasonOf(written), { code: 'policy-reason-missing' });
  assert.equal(reasonOf('regulation:  GDPR Art. 13(2)'), 'regulation: GDPR Art. 13(2)');
  assert.equal(reasonOf('because we can'), 'other: because we can');
});

test('a revision is never changed and never removed, not even by its owner', async () => {
  const { db, tenant } = world;
  await assert.rejects(db.admin`update troth.policies set reason = 'x' where tenant = ${tenant}`);
  await assert.rejects(
    db.admin`update troth.policies set document = '{}' where tenant = ${tenant}`,
  );
  await assert.rejects(db.admin`delete from troth.policies where tenant = ${tenant}`);
});

test('a service that is being taken out takes no policy until that is finished', async () => {
  const { admin } = world.db;
  await admin`
    insert into troth.removals
      (id, tenant, revision, digest, actor_kind, actor_id, requested_at, lost)
    values (gen_random_uuid(), ${world.tenant}, 1, ${'0'.repeat(64)}, 'operator', 'operator',
            now(), '[]')`;
  const next = samplePolicy(world.tenant).replace('title: Sample', 'title: Another');
  await assert.rejects(world.apply(next), { code: 'service-being-removed' });
  await admin`update troth.removals set finished_at = now() where tenant = ${world.tenant}`;
  assert.equal((await world.apply(next)).changed, true);
});

test('every server hears that a service has ended, and a late look does not bring it back', async () => {
  const tenant = TenantId(`end-${world.tenant.slice(-8)}`);
  await applyPolicy(world.db, world.events, draft(samplePolicy(tenant)));
  const other = await openPolicies(world.db, { log: silentLog });
  assert.ok(other.find(tenant));
  const heard = Promise.withResolvers<TenantId>();
  other.onEnd((ended) => heard.resolve(ended));
  const revision = await world.db.admin.begin((tx) => endPolicy(tx, tenant));
  assert.equal(revision, 1);
  assert.equal(await heard.promise, tenant);
  await Promise.all([other.refresh(), other.refresh(tenant), other.refresh()]);
  assert.equal(other.find(tenant), undefined);
  assert.throws(() => other.inForce(tenant), { code: 'tenant-unknown' });
  const again = await applyPolicy(world.db, world.events, draft(samplePolicy(tenant)));
  assert.equal(again.revision, 2, 'a number is never given twice');
  await other.refresh(tenant);
  assert.equal(other.inForce(tenant).revision, 2);
  await other.close();
  await world.events.command(`drop database ${eventsDatabaseOf(tenant)} sync`);
});
