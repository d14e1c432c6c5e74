import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { verifyInclusion } from '#base/merkle';
import { openCheckpoint } from '#base/signed-note';
import {
  auditHealth,
  beginIntent,
  cutAudit,
  openTenantLog,
  readAudit,
  settleIntent,
} from '#core/audit';
import { authorize } from '#core/policy';
import { until } from '#testing/faults';
import { act, idsIn, logsPlace, SYSTEM, sequencing, settled } from '#testing/sequencing';
import { useWorld } from '#testing/world';

const DAY_MS = 86_400_000;
const world = useWorld({ start: new Date('2026-03-02T09:00:00Z') });
const place = logsPlace();
after(() => place.remove());

const permit = () => authorize(world.policies.inForce(world.tenant), SYSTEM, 'data.sweep');
const all = () => readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
const isDone = () =>
  until('the log followed', 10_000, async () => {
    const open = await world.db.sql`select 1 from troth.audit_cuts where bodies is null`;
    return open.length === 0;
  });

test('a cut takes the bodies whose time is over, and every proof stays valid', async () => {
  const sequencer = await sequencing(world, place);
  const key = authorize(world.policies.inForce(world.tenant), SYSTEM, 'key.rotate');
  const event = 'key.rotated' as const;
  const settledIntent = await beginIntent(world.db, key, { event, now: world.clock.now() });
  const openIntent = await beginIntent(world.db, key, { event, now: world.clock.now() });
  await settleIntent(world.db, key, { intent: settledIntent, done: true, now: world.clock.now() });
  const old = await act(world, 300);
  world.clock.advance(40 * DAY_MS);
  const young = await act(world, 20);
  await settled(world);
  const before = openCheckpoint(
    openTenantLog(place.auditDir, world.tenant)?.note ?? '',
    place.signer.publicKey,
  );
  assert.ok(before);

  const now = world.clock.now();
  const cutoff = new Date(now.getTime() - 30 * DAY_MS);
  const cut = await cutAudit(world.db, permit(), { before: cutoff, now });
  assert.equal(cut.floor, before.size - 20);
  const left = await all();
  assert.deepEqual(
    left.map(({ id }) => id),
    [openIntent, ...young, left.at(-1)?.id],
    'an intent that is open stays',
  );
  assert.deepEqual(left.at(-1)?.event, 'audit.cut');
  await settled(world);
  await isDone();
  await sequencer.stop();

  const ids = await idsIn(place, world.tenant);
  assert.ok(ids.slice(0, cut.floor).every((id) => id === ''));
  assert.deepEqual(ids.slice(cut.floor), [...young, left.at(-1)?.id]);
  const log = openTenantLog(place.auditDir, world.tenant);
  const checkpoint = openCheckpoint(log?.note ?? '', place.signer.publicKey);
  assert.ok(log && checkpoint);
  assert.equal(checkpoint.size, before.size + 1);
  const [entry] = log.entries(cut.floor - 2, 1);
  assert.ok(entry && entry.leaf === null && old.length > 0);
  const [leaf, ...proof] = [entry.leafHash, ...entry.proof].map((t) => Buffer.from(t, 'base64'));
  assert.ok(leaf && verifyInclusion({ ...checkpoint, index: entry.index, leaf, proof }));

  const again = await sequencing(world, place);
  await act(world, 3);
  await settled(world);
  assert.deepEqual(await auditHealth(world.db), { failures: [], waiting: 0 });
  const repeated = await cutAudit(world.db, permit(), { before: cutoff, now });
  assert.deepEqual(repeated, { entries: 0, floor: 0 });
  await again.stop();
});

test('no body goes without an entry that says so, and none that is in no log yet', async () => {
  const { sql } = world.db;
  const silent = sql`select troth.cut_audit(${world.tenant}, ${new Date('2100-01-01')})`;
  await assert.rejects(Promise.resolve(silent), { code: '42501' });
  await act(world, 4);
  const before = (await all()).length;
  const now = new Date(world.clock.now().getTime() + DAY_MS);
  await cutAudit(world.db, permit(), { before: now, now });
  const left = await all();
  assert.equal(left.filter(({ event }) => event === 'consent.recorded').length, 4);
  assert.ok(left.length < before);
});
