import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { leafHash, verifyInclusion } from '#base/merkle';
import { openCheckpoint } from '#base/signed-note';
import { appendAudit, auditHealth, leafIndexOf, openTenantLog } from '#core/audit';
import { authorize } from '#core/policy';
import { samplePolicy } from '#testing/sample-policy';
import { act, idsIn, logsPlace, SYSTEM, sequencing, settled } from '#testing/sequencing';
import { useWorld } from '#testing/world';

const world = useWorld({ policies: [samplePolicy, samplePolicy] });
const place = logsPlace();
after(() => place.remove());

test('entries of each tenant are in its own log only, in order, within a second', async () => {
  const [ours = world.tenant, theirs = world.tenant] = world.tenants;
  const sequencer = await sequencing(world, place);
  await settled(world);
  const before = (await idsIn(place, ours)).length;
  const [a, b] = [await act(world, 3, ours), await act(world, 2, theirs)];
  const began = performance.now();
  await settled(world);
  assert.ok(performance.now() - began < 1_000);
  const c = await act(world, 400, ours);
  await settled(world);
  await sequencer.stop();
  assert.deepEqual((await idsIn(place, ours)).slice(before), [...a, ...c]);
  assert.deepEqual((await idsIn(place, theirs)).slice(-2), b);
  assert.equal(await leafIndexOf(world.db, { tenant: ours, id: a[0] ?? '' }), before);
  assert.equal(await leafIndexOf(world.db, { tenant: theirs, id: a[0] ?? '' }), undefined);
  assert.deepEqual(await auditHealth(world.db), { failures: [], waiting: 0 });
});

test('an entry is answered with what proves that it is in the signed tree', async () => {
  const log = openTenantLog(place.auditDir, world.tenant);
  assert.ok(log);
  const checkpoint = openCheckpoint(log.note, place.signer.publicKey);
  assert.ok(checkpoint && checkpoint.size === log.size);
  const entries = log.entries(log.size - 11, 50);
  assert.equal(entries.length, 10);
  for (const entry of entries) {
    const leaf = leafHash(Buffer.from(entry.leaf ?? ''));
    assert.equal(leaf.toString('base64'), entry.leafHash);
    const proof = entry.proof.map((hash) => Buffer.from(hash, 'base64'));
    const { index } = entry;
    assert.ok(verifyInclusion({ ...checkpoint, index, leaf, proof }));
  }
  assert.deepEqual(log.entries(log.size + 5, 10), []);
});

test('a transaction that commits late gets its place then, and nothing waits for it', async () => {
  const sequencer = await sequencing(world, place);
  const gate = Promise.withResolvers<void>();
  let late = '';
  const open = world.inTenant(async (tx) => {
    const permit = authorize(tx, SYSTEM, 'consent.record');
    late = await appendAudit(tx, permit, { event: 'consent.recorded' });
    await gate.promise;
  });
  const [early] = await act(world);
  await settled(world);
  assert.equal((await idsIn(place, world.tenant)).at(-1), early);
  gate.resolve();
  await open;
  await settled(world);
  await sequencer.stop();
  assert.deepEqual((await idsIn(place, world.tenant)).slice(-2), [early, late]);
});

test('of several sequencers one works, and another goes on when it ends', async () => {
  const all = await Promise.all([1, 2, 3].map(() => sequencing(world, place)));
  const ids: string[] = [];
  const writing = (async () => {
    for (let round = 0; round < 60; round += 1) {
      ids.push(...(await act(world, 5)));
      await sleep(20);
    }
  })();
  for (const sequencer of all.slice(0, 2)) {
    await sleep(400);
    await sequencer.stop();
  }
  await writing;
  await settled(world);
  await all[2]?.stop();
  assert.deepEqual((await idsIn(place, world.tenant)).slice(-ids.length), ids);
});

test('a sequencer that loses its connection lets go, and finds its log again', async () => {
  const sequencer = await sequencing(world, place);
  const ids = await act(world, 3);
  await world.db.admin`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and objid = 7412009`;
  ids.push(...(await act(world, 3)));
  await settled(world);
  await sequencer.stop();
  assert.deepEqual((await idsIn(place, world.tenant)).slice(-6), ids);
});

test('a database restored to an earlier state is brought up to the log, which never forks', async () => {
  const { admin } = world.db;
  const first = await sequencing(world, place);
  const ids = await act(world, 300);
  await settled(world);
  await first.stop();
  const before = await idsIn(place, world.tenant);
  // As it was when 200 of them had no index and 100 had not been committed at all.
  const [gone, unsequenced] = [ids.slice(200), ids.slice(0, 200)];
  const from = before.length - 300;
  await admin`delete from troth.audit_leaves where tenant = ${world.tenant} and index >= ${from}`;
  await admin`update troth.audit_trees set size = ${from} where tenant = ${world.tenant}`;
  await admin`delete from troth.audit_entries where id = any(${gone}::uuid[])`;
  await admin`insert into troth.audit_pending (tenant, seq)
              select tenant, seq from troth.audit_entries where id = any(${unsequenced}::uuid[])`;
  const later = await act(world, 5);

  const second = await sequencing(world, place);
  await settled(world);
  await second.stop();
  assert.deepEqual(await idsIn(place, world.tenant), [...before, ...later]);
  assert.deepEqual(await auditHealth(world.db), { failures: [], waiting: 0 });
  const [last = ''] = later;
  assert.equal(await leafIndexOf(world.db, { tenant: world.tenant, id: last }), before.length);
});
