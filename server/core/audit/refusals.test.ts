import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { movableClock } from '#base/clock';
import { KeyId, Word } from '#base/ids';
import { useWorld } from '#testing/world';
import { INSTALLATION, openRefusals, type RefusalLog, readAudit, STRANGER } from './index.ts';

const clock = movableClock(new Date('2026-03-02T09:00:00Z'));
let refusals: RefusalLog;
const world = useWorld({
  setUp: async ({ db }) => {
    refusals = openRefusals(db, clock);
  },
});
after(() => refusals?.close());

const keyless = { actor: STRANGER, action: 'event.ingest', code: Word('key-missing') } as const;
const log = async (tenant = world.tenant) =>
  (await readAudit(world.db, { tenant, limit: 1_000 })).filter(({ kind }) => kind === 'refusal');
const countsOf = async (tenant = world.tenant) =>
  (await log(tenant)).map(({ fields }) => fields['count']);

test('the first refusal of a kind is durable before it is answered, and names nobody', async () => {
  await refusals.record({ ...keyless, tenant: world.tenant });
  const [entry] = await log();
  assert.deepEqual(entry?.fields, { code: 'key-missing', count: 1 });
  assert.deepEqual(
    [entry?.actorKind, entry?.actorId, entry?.subject, entry?.action],
    ['stranger', 'nobody', null, 'event.ingest'],
  );
});

test('a flood of 10,000 is two entries, and none of them is missing from the sum', async () => {
  for (let n = 0; n < 10_000; n += 1) void refusals.record({ ...keyless, tenant: world.tenant });
  assert.deepEqual(await countsOf(), [1]);
  clock.advance(60_000);
  await refusals.flush();
  assert.deepEqual(await countsOf(), [1, 10_000]);
  await refusals.flush();
  assert.deepEqual(await countsOf(), [1, 10_000], 'what is told is told once');
  await refusals.record({ ...keyless, tenant: world.tenant });
  assert.deepEqual(await countsOf(), [1, 10_000, 1], 'a new minute begins at once');
});

test('another code, another key and another service are other kinds', async () => {
  const key = { kind: 'write-key', id: KeyId('someKey1'), tenant: world.tenant } as const;
  const kinds = [
    { ...keyless, tenant: world.tenant, code: Word('key-unknown') },
    { ...keyless, tenant: world.tenant, actor: key },
    { ...keyless, tenant: INSTALLATION },
  ];
  await Promise.all(kinds.map((kind) => refusals.record(kind)));
  assert.equal((await log()).length, 5);
  assert.deepEqual(await countsOf(INSTALLATION), [1]);
});

test('what could not be written is told with the next, and an orderly stop tells the rest', async () => {
  const kind = { ...keyless, tenant: world.tenant, code: Word('told-later') };
  const { db } = world;
  const own = openRefusals(db, clock);
  await db.admin`revoke insert on troth.audit_entries from troth_app`;
  await assert.rejects(own.record(kind) ?? Promise.resolve());
  await db.admin`grant insert on troth.audit_entries to troth_app`;
  void own.record(kind);
  await own.close();
  const told = (await log()).filter(({ fields }) => fields['code'] === kind.code);
  assert.deepEqual(
    told.map(({ fields }) => fields['count']),
    [2],
  );
});
