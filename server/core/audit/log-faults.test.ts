import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendAudit, auditHealth, beginIntent, logFolder, originOf } from '#core/audit';
import { ACTIONS, type Action, authorize, isPrivileged } from '#core/policy';
import { tilePath } from '#platform/tiles';
import { mountSmallDisk, until } from '#testing/faults';
import { editLog, pickOf } from '#testing/log-edits';
import {
  act,
  idsIn,
  type LogsPlace,
  logsPlace,
  SYSTEM,
  sequencing,
  settled,
  waiting,
} from '#testing/sequencing';
import { useWorld } from '#testing/world';
import { startLog } from './log-start.ts';

const world = useWorld();
const places: LogsPlace[] = [];
after(() => {
  for (const place of places) place.remove();
});

/** A place of logs that holds everything so far, as if this world had begun with it. */
async function begun(place = logsPlace()): Promise<LogsPlace> {
  places.push(place);
  const { admin } = world.db;
  await admin`truncate troth.audit_leaves, troth.audit_trees, troth.audit_pending`;
  await admin`insert into troth.audit_pending select tenant, seq from troth.audit_entries`;
  return place;
}
const dirOf = (place: LogsPlace) => logFolder(place.auditDir, world.tenant);
const permitOf = (action: Action) =>
  authorize(world.policies.inForce(world.tenant), SYSTEM, action);
const intent = () =>
  beginIntent(world.db, permitOf('key.rotate'), { event: 'key.rotated', now: world.clock.now() });
const failure = async () => (await auditHealth(world.db)).failures[0]?.failure;
const start = (place: LogsPlace) => {
  const copy = { dir: place.copyDir, name: world.tenant };
  const { tenant, db } = world;
  const origin = originOf(place.instance, tenant);
  return startLog({ db, tenant, origin, place: { dir: dirOf(place), copy, signer: place.signer } });
};

test('300 random edits of a log are all found when it is opened', async () => {
  const place = await begun();
  const first = await sequencing(world, place);
  await act(world, 300);
  await settled(world);
  const [older, whole] = [join(place.folder, 'older'), join(place.folder, 'whole')];
  cpSync(dirOf(place), older, { recursive: true });
  await act(world, 100);
  await settled(world);
  await first.stop();
  cpSync(dirOf(place), whole, { recursive: true });
  const missed: string[] = [];
  for (let seed = 1_001; seed <= 1_300; seed += 1) {
    rmSync(dirOf(place), { recursive: true });
    cpSync(whole, dirOf(place), { recursive: true });
    const edit = editLog(dirOf(place), older, pickOf(seed));
    if (!('fault' in (await start(place)))) missed.push(`${seed}: ${edit}`);
  }
  assert.deepEqual(missed, []);
  rmSync(dirOf(place), { recursive: true });
  cpSync(whole, dirOf(place), { recursive: true });
  assert.ok('edge' in (await start(place)));
});

test('a body that is gone without a cut, and a log rolled back with its copy, are found', async () => {
  const place = await begun();
  const first = await sequencing(world, place);
  await act(world, 260);
  await settled(world);
  await first.stop();
  const [logs, copies] = [join(place.folder, 'l'), join(place.folder, 'c')];
  cpSync(place.auditDir, logs, { recursive: true });
  cpSync(place.copyDir, copies, { recursive: true });
  const bundle = join(dirOf(place), 'tile/entries/000');
  const bytes = readFileSync(bundle);
  const length = bytes.readUInt16BE(0);
  writeFileSync(bundle, Buffer.concat([Buffer.alloc(2), bytes.subarray(2 + length)]));
  assert.deepEqual(await start(place), { fault: 'entry-missing', where: '0' });
  writeFileSync(bundle, bytes);

  const second = await sequencing(world, place);
  await act(world, 5);
  await settled(world);
  await second.stop();
  for (const [from, to] of [
    [logs, place.auditDir],
    [copies, place.copyDir],
  ] as const) {
    rmSync(to, { recursive: true });
    cpSync(from, to, { recursive: true });
  }
  assert.deepEqual(await start(place), { fault: 'rolled-back', where: 'checkpoint' });
  rmSync(place.auditDir, { recursive: true });
  rmSync(place.copyDir, { recursive: true });
  assert.deepEqual(await start(place), { fault: 'rolled-back', where: 'checkpoint' });
});

test('a damaged log refuses acts that matter (audit-log-damaged), and only those', async () => {
  const place = await begun();
  const first = await sequencing(world, place);
  await act(world, 20);
  await settled(world);
  await first.stop();
  const { length } = await idsIn(place, world.tenant);
  const last = { level: 0, index: Math.floor(length / 256), width: length % 256 };
  const file = join(dirOf(place), tilePath(last));
  const good = readFileSync(file);
  writeFileSync(file, Buffer.from(good).fill(7, 0, 32));

  const second = await sequencing(world, place);
  assert.equal(await failure(), 'entry-damaged');
  await assert.rejects(intent(), { code: 'audit-log-damaged', status: 503 });
  await assert.rejects(
    world.inTenant((tx) =>
      appendAudit(tx, authorize(tx, SYSTEM, 'policy.apply'), { event: 'policy.applied' }),
    ),
    { code: 'audit-log-damaged' },
  );
  await act(world, 2);
  assert.equal(await waiting(world), 2, 'they wait, and are not lost');
  await second.stop();
  writeFileSync(file, good);
  const third = await sequencing(world, place);
  assert.equal(await failure(), undefined);
  await intent();
  await settled(world);
  await third.stop();
});

test('a log that is changed while the server runs is not written over', async () => {
  const place = await begun();
  const sequencer = await sequencing(world, place);
  await act(world, 20);
  await settled(world);
  const older = join(place.folder, 'older');
  cpSync(dirOf(place), older, { recursive: true });
  await act(world, 20);
  await settled(world);
  rmSync(dirOf(place), { recursive: true });
  cpSync(older, dirOf(place), { recursive: true });
  const before = readFileSync(join(dirOf(place), 'checkpoint'), 'utf8');
  await act(world, 1);
  await until('it is noticed', 3_000, async () => (await failure()) === 'rolled-back');
  await sequencer.stop();
  assert.equal(readFileSync(join(dirOf(place), 'checkpoint'), 'utf8'), before);
  await assert.rejects(intent(), { code: 'audit-log-damaged' });
});

test('an entry that was changed in PostgreSQL before it was in the log does not get there', async () => {
  const place = await begun();
  const [id = ''] = await act(world);
  await world.db.admin`update troth.audit_entries set event = 'consent.forged' where id = ${id}`;
  const sequencer = await sequencing(world, place);
  await until('it is noticed', 3_000, async () => (await failure()) === 'entry-changed');
  await sequencer.stop();
  assert.ok(!existsSync(join(dirOf(place), 'checkpoint')));
  await world.db.admin`update troth.audit_entries set event = 'consent.recorded' where id = ${id}`;
});

test('a full disk, and one that is read-only, refuse acts that matter until they are mended', async (t) => {
  const place = logsPlace();
  const disk = mountSmallDisk(place.auditDir, 1);
  if (!disk) return t.skip('this user may not mount a disk');
  await begun(place);
  let sequencer = await sequencing(world, place);
  const remount = (how: string) =>
    assert.equal(spawnSync('mount', ['-o', `remount,${how}`, disk.path]).status, 0);
  const unwritable = () => until('refused', 8_000, async () => (await failure()) === 'unwritable');
  const mended = () => until('mended', 8_000, async () => (await failure()) === undefined);
  const refused = { code: 'audit-log-unwritable', retryAfterSeconds: 5 };
  try {
    await settled(world);
    const filler = join(disk.path, 'filler');
    const full = () => writeFileSync(filler, Buffer.alloc(2_000_000));
    assert.throws(full, { code: 'ENOSPC' });
    // Nothing is being written: it is noticed all the same.
    await unwritable();
    await assert.rejects(intent(), refused);
    const [id = ''] = await act(world);
    rmSync(filler);
    await mended();
    await intent();
    await settled(world);
    assert.ok((await idsIn(place, world.tenant)).includes(id));

    // The lock's own file is open for writing, and would keep the disk from becoming read-only.
    await sequencer.stop();
    remount('ro');
    sequencer = await sequencing(world, place);
    const [other = ''] = await act(world);
    await unwritable();
    await assert.rejects(intent(), refused);
    remount('rw');
    await mended();
    await settled(world);
    assert.ok((await idsIn(place, world.tenant)).includes(other));
  } finally {
    await sequencer.stop();
    await sleep(10);
    disk.unmount();
  }
});

test('events and consent are not among the acts that wait for the log', () => {
  const refused = Object.keys(ACTIONS).filter((action) => isPrivileged(action as Action));
  for (const action of ['policy.apply', 'key.rotate', 'key.destroy', 'subject.erase']) {
    assert.ok(refused.includes(action), action);
  }
  for (const action of ['event.ingest', 'consent.record', 'consent.withdraw', 'audit.read']) {
    assert.ok(!refused.includes(action), action);
  }
});
