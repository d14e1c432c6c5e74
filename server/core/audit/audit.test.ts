import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { KeyId, Word } from '#base/ids';
import {
  appendAudit,
  appendAudits,
  beginIntent,
  commitmentOf,
  leafHashOf,
  openIntents,
  readAudit,
  recordRefusal,
  settleIntent,
} from '#core/audit';
import { type Actor, authorize } from '#core/policy';
import { useWorld } from '#testing/world';

const world = useWorld();
const key: Actor = { kind: 'system', id: KeyId('auditTest') };
const all = () => readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
const permitOf = () => {
  const { revision } = world.policies.inForce(world.tenant);
  return authorize({ tenant: world.tenant, revision }, key, 'key.destroy');
};

test('a committed act and its entry are one transaction', async () => {
  const subject = world.person();
  await world.inTenant(async (tx) => {
    const permit = authorize(tx, key, 'consent.record');
    await appendAudit(tx, permit, {
      event: 'consent.recorded',
      subject,
      fields: { purpose: Word('statistics'), granted: true, rows: 1 },
    });
  });
  const entry = (await all()).at(-1);
  assert.ok(entry);
  const { seq, leafHash, ...hashed } = entry;
  assert.ok(seq > 0);
  assert.equal(entry.event, 'consent.recorded');
  assert.equal(entry.action, 'consent.record');
  assert.equal(entry.actorId, 'auditTest');
  assert.equal(entry.subject, subject);
  assert.equal(entry.revision, 1);
  assert.deepEqual(entry.fields, { purpose: 'statistics', granted: true, rows: 1 });
  assert.deepEqual(leafHash, leafHashOf(hashed), 'the stored row gives the stored hash again');
});

test('a leaf is hashed as RFC 6962 prescribes, over the canonical form', () => {
  const entry = {
    id: '00000000-0000-4000-8000-000000000000',
    tenant: world.tenant,
    at: new Date(0),
    ...({ kind: 'act', event: 'key.rotated', actorKind: 'system', actorId: 'abcd' } as const),
    action: 'key.rotate',
    subject: null,
    fields: {},
    commitments: null,
    revision: 1,
    intent: null,
  };
  const text =
    '{"action":"key.rotate","actorId":"abcd","actorKind":"system",' +
    '"at":"1970-01-01T00:00:00.000Z","commitments":null,"event":"key.rotated","fields":{},' +
    `"id":"${entry.id}","intent":null,"kind":"act","revision":1,"subject":null,` +
    `"tenant":"${world.tenant}","v":1}`;
  assert.deepEqual(leafHashOf(entry), createHash('sha256').update(`\0${text}`).digest());
  assert.notDeepEqual(leafHashOf(entry), leafHashOf({ ...entry, fields: { rows: 1 } }));
});

test('an act that is rolled back leaves no entry', async () => {
  const before = (await all()).length;
  const attempt = world.inTenant(async (tx) => {
    await appendAudit(tx, authorize(tx, key, 'consent.record'), { event: 'consent.recorded' });
    throw new Error('the act fails after its entry');
  });
  await assert.rejects(attempt);
  assert.equal((await all()).length, before);
});

test('a refusal survives the transaction that it refused', async () => {
  const stranger: Actor = { kind: 'write-key', id: KeyId('stranger'), tenant: world.tenant };
  const attempt = world.inTenant(async (tx) => {
    try {
      authorize(tx, stranger, 'key.destroy');
    } catch (problem) {
      await recordRefusal(world.db, {
        tenant: world.tenant,
        actor: stranger,
        action: 'key.destroy',
        code: Word('forbidden'),
        now: tx.now,
      });
      throw problem;
    }
  });
  await assert.rejects(attempt, { code: 'forbidden' });
  const entry = (await all()).at(-1);
  assert.equal(entry?.event, 'act.refused');
  assert.equal(entry?.actorId, 'stranger');
  assert.deepEqual(entry?.fields, { code: 'forbidden' });
});

test('no entry can be changed or taken away by the server itself, under any of its roles', async () => {
  const { sql } = world.db;
  const denied = { code: '42501' };
  await assert.rejects(sql`update troth.audit_entries set event = 'a.b'`, denied);
  await assert.rejects(sql`delete from troth.audit_entries`, denied);
  await assert.rejects(sql`truncate troth.audit_entries`, denied);
  for (const role of ['troth_eraser', 'troth_sweeper']) {
    const attempt = sql.begin(async (tx) => {
      await tx`select set_config('role', ${role}, true)`;
      await tx`delete from troth.audit_entries`;
    });
    await assert.rejects(attempt, denied);
  }
});

test('whoever acts for a purpose can say so in the log, and cannot read it', async () => {
  const purpose = 'statistics' as never;
  await world.inTenant(
    (tx) => appendAudit(tx, authorize(tx, key, 'event.read'), { event: 'event.read' }),
    { purpose },
  );
  assert.equal((await all()).at(-1)?.event, 'event.read');
  const attempt = world.inTenant((tx) => tx`select 1 from troth.audit_entries limit 1`, {
    purpose,
  });
  await assert.rejects(attempt, { code: '42501' });
});

test('a personal value is committed to, matches with its salt, and is not in the entry', async () => {
  const salt = randomBytes(16);
  const values = { email: 'ada.lovelace@example.com' };
  await world.inTenant((tx) =>
    appendAudit(tx, authorize(tx, key, 'consent.record'), {
      event: 'account.changed',
      personal: { values, salt, sealedSalt: Buffer.from('sealed') },
    }),
  );
  const entry = (await all()).at(-1);
  assert.equal(entry?.commitments?.['email'], commitmentOf(salt, 'email', values.email));
  assert.notEqual(
    commitmentOf(randomBytes(16), 'email', values.email),
    entry?.commitments?.['email'],
  );
  assert.ok(!JSON.stringify(entry).includes('lovelace'));
  assert.throws(() => commitmentOf(randomBytes(8), 'email', values.email));
});

test('free text does not get into an entry, even where a cast let it through', async () => {
  const attempt = world.inTenant((tx) =>
    appendAudit(tx, authorize(tx, key, 'consent.record'), {
      event: 'consent.recorded',
      fields: { note: 'ada@example.com' as never },
    }),
  );
  await assert.rejects(attempt, { code: 'ERR_ASSERTION' });
});

test('several acts under one permit are written together', async () => {
  const before = (await all()).length;
  await world.inTenant((tx) =>
    appendAudits(tx, authorize(tx, key, 'consent.withdraw'), [
      { event: 'consent.withdrawn', subject: world.person() },
      { event: 'consent.withdrawn', subject: world.person() },
    ]),
  );
  assert.equal((await all()).length, before + 2);
});

test('an intent stays open until it is settled, once', async () => {
  const now = world.clock.now();
  const subject = world.person();
  const permit = permitOf();
  const intent = await beginIntent(world.db, permit, { event: 'key.destroyed', subject, now });
  const open = await openIntents(world.db, world.tenant);
  assert.deepEqual(
    open.map(({ intent: id, event, action, subject: whose }) => [id, event, action, whose]),
    [[intent, 'key.destroyed', 'key.destroy', subject]],
  );
  const settled = await Promise.all([
    settleIntent(world.db, permit, { intent, done: true, now }),
    world.inTenant((tx) => settleIntent(tx, permit, { intent, done: true, now })),
  ]);
  assert.deepEqual(settled.toSorted(), [false, true], 'two servers finish it, one entry tells');
  assert.equal((await openIntents(world.db, world.tenant)).length, 0);
  const entry = (await all()).at(-1);
  assert.equal(entry?.kind, 'outcome');
  assert.equal(entry?.intent, intent);
  assert.deepEqual(entry?.fields, { done: true });
});

test('an intent is settled under a permit of its own tenant only', async () => {
  const now = world.clock.now();
  const intent = await beginIntent(world.db, permitOf(), { event: 'key.destroyed', now });
  const elsewhere = authorize({ tenant: 'other' as never, revision: 1 }, key, 'key.destroy');
  await assert.rejects(settleIntent(world.db, elsewhere, { intent, done: true, now }));
  const attempt = world.inTenant((tx) => appendAudit(tx, elsewhere, { event: 'key.destroyed' }));
  await assert.rejects(attempt, { code: 'ERR_ASSERTION' });
});
