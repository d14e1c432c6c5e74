/** Rows that were acknowledged and that the event store refuses: seen, kept, and stored once. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KeyId } from '#base/ids';
import { readAudit } from '#core/audit';
import type { Actor } from '#core/policy';
import { useWorld } from '#testing/world';
import * as inbox from './inbox-store.ts';
import { stuckBody } from './inbox-stuck.ts';
import { retryStuck, stuckUnits } from './index.ts';
import { batchOf, unitsOf } from './mover-units.ts';
import { type Door, openDoor } from './testing/small-world.ts';

const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };
let door: Door;
const world = useWorld({
  setUp: async (opened) => {
    door = await openDoor(opened, { moves: false });
  },
});
after(() => door?.close());

const now = () => world.clock.now();
const deps = () => ({ db: world.db, events: world.events, policies: world.policies, now });
const database = () => `tenant_${world.tenant.replaceAll('-', '_')}`;
const rename = (from: string, to: string) =>
  world.events.command(`rename table ${database()}.${from} to ${database()}.${to}`);
const stored = async () => {
  const sql = `select count() as n, uniqExact(message) as m from ${database()}.usage`;
  const [row] = await world.events.query<{ n: string; m: string }>(sql);
  return [Number(row?.n), Number(row?.m)];
};
async function until(is: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await is()); waited += 50) {
    assert.ok(waited < 10_000, 'it did not happen');
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Three acknowledged events, set aside as the mover does it once a refusal was repeated. */
async function setAside(): Promise<string> {
  await door.send('/v1/batch', { batch: Array(3).fill({ event: 'used' }) });
  const { sql } = world.db;
  const ids = (await inbox.readWaiting(sql, 100)).map(({ id }) => id);
  const round = await inbox.openRound(sql, ids, [], now());
  const units = await unitsOf((await inbox.readBodies(sql, ids)).values());
  for (const { layout, day, rows, place } of units) {
    const body = stuckBody({ layout, day, rows }, batchOf(round.id, place));
    await inbox.setAside(sql, { layout, day, rows: rows.length, body, reason: 60 }, now());
  }
  await inbox.settleRound(sql, round, now());
  return (await stuckUnits(deps())).at(-1)?.id ?? '';
}

test('what is set aside is shown with its count and the engine’s reason', async () => {
  await setAside();
  const [unit] = await stuckUnits(deps());
  assert.deepEqual([unit?.tenant, unit?.table, unit?.rows], [world.tenant, 'usage', 3]);
  assert.equal(unit?.engineCode, 60, 'UNKNOWN_TABLE');
  await until(async () => door.ingest.snapshot(world.tenant).stuck.length > 0);
  const [seen] = door.ingest.snapshot(world.tenant).stuck;
  assert.deepEqual([seen?.engineCode, seen?.rows], [60, 3]);
  assert.deepEqual(door.ingest.snapshot('nobody').stuck, [], 'to its own service only');
});

test('another try stores what was acknowledged, once, with its audit entry', async () => {
  const id = await setAside();
  const before = await stored();
  const tries = await Promise.allSettled(
    Array.from({ length: 4 }, () => retryStuck(deps(), OPERATOR, id)),
  );
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of tries) {
    if (one.status === 'rejected') assert.equal(one.reason.code, 'inbox-row-unknown');
  }
  assert.deepEqual(await stored(), [before[0]! + 3, before[1]! + 3]);
  const last = (await readAudit(world.db, { tenant: world.tenant, limit: 1_000 })).at(-1);
  assert.deepEqual([last?.event, last?.fields], ['inbox.retried', { rows: 3, engineCode: 60 }]);
  await assert.rejects(retryStuck(deps(), OPERATOR, id), { code: 'inbox-row-unknown' });
  await assert.rejects(retryStuck(deps(), OPERATOR, '1; drop table x'), {
    code: 'inbox-row-unknown',
  });
});

test('a try that was cut off after the insert is found by its batch, and stores nothing twice', async () => {
  const id = await setAside();
  const before = await stored();
  const [row] = await world.db.admin<{ whole: object }[]>`
    select to_jsonb(inbox_stuck) as whole from inbox_stuck where id = ${id}::bigint`;
  await retryStuck(deps(), OPERATOR, id);
  await world.db.admin`
    insert into inbox_stuck overriding system value
    select * from jsonb_populate_record(null::inbox_stuck, ${world.db.admin.json(row?.whole as never)})`;
  await retryStuck(deps(), OPERATOR, id);
  assert.deepEqual(await stored(), [before[0]! + 3, before[1]! + 3]);
});

test('rows that are refused again stay, and the refusal is on record', async () => {
  const id = await setAside();
  await rename('usage', 'away');
  await assert.rejects(retryStuck(deps(), OPERATOR, id), { code: 'inbox-refused-again' });
  await rename('away', 'usage');
  const last = (await readAudit(world.db, { tenant: world.tenant, limit: 1_000 })).at(-1);
  assert.deepEqual(
    [last?.kind, last?.action, last?.fields],
    ['refusal', 'inbox.retry', { code: 'inbox-refused-again' }],
  );
  assert.equal((await retryStuck(deps(), OPERATOR, id)).rows, 3);
});
