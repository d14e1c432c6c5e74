/** Readings under real logins of the real engine. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PurposeId } from '#base/ids';
import { readAudit } from '#core/audit';
import type { Actor } from '#core/policy';
import { eventTableOf, loginOf, takeLogins } from '#core/tenancy';
import {
  openPurposeReader,
  PURPOSE_LOGINS,
  type PurposeReader,
  preparePurposeLogins,
  purposeLogin,
  purposeLoginStatements,
} from '#platform/events';
import { samplePolicy } from '#testing/sample-policy';
import { useWorld } from '#testing/world';
import { type ReadingNeeds, readEvents } from './index.ts';
import { NOBODY, onlyFollowed } from './journeys.ts';

const world = useWorld({
  setUp: async ({ events, policies, tenant }) => {
    const { database, table } = eventTableOf(tenant, policies.inForce(tenant).policy, 'usage');
    await events.insert({
      database,
      table,
      format: 'JSONEachRow',
      columns: [
        'received_at',
        'event_at',
        'name',
        'subject',
        'message',
        'f_tool',
        'sealed',
        'expires',
      ],
      rows: [
        {
          received_at: 1_700_000_000,
          event_at: 1_700_000_000,
          name: 'used',
          subject: 'a'.repeat(16),
          message: '18446744073709551615',
          f_tool: 'drill',
          sealed: 'secret',
          expires: 4_000_000_000,
        },
      ],
    });
  },
});
let opened: PurposeReader | undefined;
const reader = () => {
  opened ??= openPurposeReader(world.clickhouseUrl);
  return opened;
};
after(() => opened?.close());

const gone = new Set<string>();
const hidden = { refresh: async () => undefined, has: (_: string, id: string) => gone.has(id) };

const refusing = new Set<string>();
const agreed: ReadingNeeds['agreed'] = async (_, __, subjects) =>
  new Set(subjects.filter((subject) => !refusing.has(subject)));

type Time = { from?: Date; until?: Date };
const read = (
  dataType: string,
  purpose: string | undefined,
  { actor = world.operator, ...time }: Time & { actor?: Actor } = {},
) =>
  readEvents(
    { db: world.db, reader: reader(), hidden, agreed },
    world.policies.inForce(world.tenant),
    { ...time, actor, purpose, dataType, limit: 10, now: world.clock.now() },
  );

test('events come back for a purpose of theirs: opaque, exact, and without what is sealed', async () => {
  const [row] = await read('usage', 'service-delivery');
  assert.equal(row?.['f_tool'], 'drill');
  assert.equal(row?.['message'], '18446744073709551615');
  assert.equal(row?.['subject'], '61'.repeat(16));
  assert.equal(row && 'sealed' in row, false);
});

test('a reading that names a time shows what was received from its beginning to before its end', async () => {
  const [row] = await read('usage', 'service-delivery');
  const at = new Date(String(row?.['received_at']));
  const [before, after] = [new Date(at.getTime() - 1), new Date(at.getTime() + 1)];
  const rows = (time: Time) => read('usage', 'service-delivery', time);
  assert.equal((await rows({ from: at, until: after })).length, 1);
  assert.equal((await rows({ from: before })).length, 1);
  assert.equal((await rows({ from: after })).length, 0);
  assert.equal((await rows({ until: at })).length, 0);
  const ever = { from: new Date('0001-01-01T00:00:00Z'), until: new Date('9999-12-31T00:00:00Z') };
  assert.equal((await rows(ever)).length, 1);
});

test('where people are asked before they are identified, a row says whose it is for that purpose alone', () => {
  const identify = { modes: ['pseudonymous', 'identified'], consent: 'named' } as const;
  const rows = [1, 2].map((mode) => ({ subject: 'a'.repeat(32), mode }));
  const subjects = (purpose: string, policy: object = { identify }) =>
    onlyFollowed(policy, PurposeId(purpose), rows).map(({ subject }) => subject);
  assert.deepEqual(subjects('named'), [NOBODY, 'a'.repeat(32)]);
  assert.deepEqual(subjects('statistics'), [NOBODY, NOBODY]);
  assert.deepEqual(subjects('statistics', {}), ['a'.repeat(32), 'a'.repeat(32)]);
});

test('a person who is hidden is in no reading', async () => {
  gone.add('61'.repeat(16));
  assert.deepEqual(await read('usage', 'service-delivery'), []);
  gone.clear();
});

test('a person who does not agree to the purpose is in no reading for it', async () => {
  refusing.add('61'.repeat(16));
  assert.deepEqual(await read('usage', 'service-delivery'), []);
  refusing.clear();
});

test('whatever is refused is refused with its reason, and on record', async () => {
  await assert.rejects(read('usage', undefined), { code: 'purpose-not-stated' });
  await assert.rejects(read('usage', 'curiosity'), { code: 'purpose-not-declared' });
  await assert.rejects(read('usage', 'constructor'), { code: 'purpose-not-declared' });
  await assert.rejects(read('page-views', 'service-delivery'), { code: 'purpose-not-for-data' });
  await assert.rejects(read('invoices', 'statistics'), { code: 'data-not-read' });
  const { tenant } = world;
  const subject = { kind: 'subject', id: world.operator.id, tenant } as const;
  await assert.rejects(read('usage', 'statistics', { actor: subject }), { code: 'forbidden' });
  const entries = await readAudit(world.db, { tenant, limit: 1_000 });
  const refused = entries.filter(
    ({ action, kind }) => action === 'event.read' && kind === 'refusal',
  );
  assert.equal(refused.length, 6);
});

test('a purpose that a new revision takes from the data is refused at once, and keeps its login', async () => {
  const { tenant, db } = world;
  const before = await loginOf(db, tenant, 'statistics');
  assert.equal((await read('usage', 'statistics')).length, 1);
  const less = samplePolicy(tenant).replace(
    'purposes: [service-delivery, statistics]',
    'purposes: [service-delivery]',
  );
  await world.apply(less);
  await world.policies.refresh(tenant);
  await assert.rejects(read('usage', 'statistics'), { code: 'purpose-not-for-data' });
  assert.equal((await read('usage', 'service-delivery')).length, 1);
  assert.equal(await loginOf(db, tenant, 'statistics'), before);
});

test('a login sees its own database and nothing else, however it asks', async () => {
  const login = (await loginOf(world.db, world.tenant, 'service-delivery')) ?? 0;
  const { policy } = world.policies.inForce(world.tenant);
  const { database, table } = eventTableOf(world.tenant, policy, 'usage');
  for (const statement of [
    `select * from ${database}.${table}`,
    `select * from merge('${database}', '.*')`,
    `select * from ${purposeLogin(login + 1)}.${database}__${table}`,
    `insert into ${database}.${table} (name) values ('x')`,
    `create view ${purposeLogin(login)}.mine as select 1`,
    `drop view ${purposeLogin(login)}.${database}__${table}`,
    "select * from file('/etc/passwd')",
    "select * from url('http://127.0.0.1', 'CSV', 'x String')",
    'select * from system.users',
  ])
    await assert.rejects(reader().query(login, statement), { code: 'events-refused' }, statement);
});

test('purposes end where logins do', async () => {
  const { db, tenant } = world;
  await db.admin`
    insert into troth.purpose_logins
    select ${tenant}, 'spare-' || n, n
    from generate_series(0, 255) as n
    on conflict do nothing`;
  await assert.rejects(takeLogins(db, tenant, ['one-more']), { code: 'purposes-exhausted' });
});

test('an engine that takes users by SQL is told of every login in words that it understands', async () => {
  const statements = purposeLoginStatements('the password of the server');
  assert.equal(statements.length, 2 * PURPOSE_LOGINS);
  for (const statement of statements.slice(-2)) {
    const ast = await world.events.query(`explain ast ${statement}`);
    assert.ok(ast.length > 0, statement);
  }
  assert.equal(await preparePurposeLogins(world.events, world.clickhouseUrl), true);
});
