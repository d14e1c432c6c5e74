import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { movableClock } from '#base/clock';
import { DataTypeId, KeyId, SubjectId, TenantId } from '#base/ids';
import { commitmentOf, openIntents, readAudit } from '#core/audit';
import {
  type Handle,
  type Keys,
  keysRotate,
  keysStatus,
  NOBODY,
  openKeys,
  personalOf,
  recoveryKit,
} from '#core/keys';
import { authorize } from '#core/policy';
import { type Keeper, openKeeper, readKit, startKeeper } from '#platform/keeper';
import { silentLog } from '#platform/log';
import { useWorld } from '#testing/world';

const DAY = 86_400_000;
const clock = movableClock(new Date('2026-03-02T09:00:00Z'));
const folder = mkdtempSync(join(tmpdir(), 'keys-'));
const keyringDir = join(folder, 'a');
const clanker = TenantId('clanker');
const system = { kind: 'system', id: KeyId('keysTest') } as const;
const at = { tenant: clanker, revision: 1 };
const world = useWorld();

let keeper: Keeper;
let keys: Keys;
let calls = 0;
let child: Awaited<ReturnType<typeof startKeeper>>;

before(async () => {
  const copyDir = join(folder, 'b');
  child = await startKeeper({
    keyringDir,
    copyDir,
    runtimeDir: folder,
    create: true,
    log: silentLog,
  });
  const inner = openKeeper(child.socketPath);
  const count: Keeper['call'] = (call, ask) => {
    calls += 1;
    return inner.call(call, ask);
  };
  keeper = { ...inner, call: count };
  const retainMs = () => 90 * DAY;
  keys = openKeys({ keeper, clock, retainMs });
  await keys.prepare(clanker);
});
after(async () => {
  keys.close();
  await child.stop();
  rmSync(folder, { recursive: true, force: true });
});

const user = (value: string): Handle => ({ kind: 'user', value });
const person = async (value: string) => {
  const [found] = await keys.subjects(clanker, [user(value)], { create: true });
  assert.ok(found);
  return found;
};
const erase = () => authorize(at, system, 'subject.erase');
const tomorrow = () => new Date(clock.now().getTime() + DAY);

test('a hundred people cost one round trip, and none when their keys are open', async () => {
  const handles = Array.from({ length: 100 }, (_, n) => user(`person-${n}`));
  const before = calls;
  const made = await keys.subjects(clanker, handles, { create: true });
  assert.equal(calls - before, 1);
  assert.equal(new Set(made.map((found) => found?.subject)).size, 100);
  assert.ok(made.every((found) => found?.created));
  const again = await keys.subjects(clanker, handles, { create: true });
  assert.equal(calls - before, 1);
  assert.ok(again.every((found, n) => found?.subject === made[n]?.subject && !found?.created));
  assert.equal(keys.cached(clanker, user('person-7'))?.subject, made[7]?.subject);
  assert.equal(keys.cached(clanker, user('nobody')), undefined);
});

test('what a person is called is in no file of the keyring', async () => {
  await person('ada.lovelace@example.org');
  const bytes = Buffer.concat(
    readdirSync(keyringDir).map((name) => readFileSync(join(keyringDir, name))),
  );
  assert.ok(!bytes.includes('lovelace'));
});

test('one account has one key however the address was typed; two kinds of handle are two', async () => {
  const handles = [' Ada@Example.org', 'ada@example.org'].map((value) => ({
    kind: 'account' as const,
    value,
  }));
  const [a, b] = await keys.subjects(clanker, handles, { create: true });
  assert.equal(a?.subject, b?.subject);
  assert.notEqual((await person('ada@example.org')).subject, a?.subject);
});

test('who is not known and is not to be made known has no key, and costs one look a second', async () => {
  const before = calls;
  for (let look = 0; look < 5; look += 1) {
    assert.deepEqual(await keys.find(clanker, [user('stranger')], { create: false }), ['unknown']);
  }
  assert.equal(calls - before, 1);
  assert.ok((await person('stranger')).created);
});

test('a destroyed key is dropped from memory before the destruction is answered', async () => {
  const ada = await person('ada');
  const other = openKeys({ keeper: openKeeper(child.socketPath), clock });
  await other.subjects(clanker, [user('ada')], { create: false });
  let told = false;
  other.onDestroyed(({ subjects }) => {
    told = subjects.includes(ada.subject);
  });
  const gone = await keys.destroy(erase(), ada.subject, tomorrow());
  assert.ok(told);
  assert.equal(gone.acknowledged, 2);
  assert.deepEqual(gone.forgottenBy, clock.now());
  for (const server of [keys, other]) {
    assert.equal(server.cached(clanker, user('ada')), undefined);
    assert.deepEqual(await server.find(clanker, [user('ada')], { create: true }), ['erased']);
    assert.deepEqual(await server.openSubjects(clanker, [ada.subject]), [undefined]);
  }
  other.close();
});

test('keys are asked for while others are destroyed, and no destroyed one is kept', async () => {
  const names = Array.from({ length: 40 }, (_, n) => user(`racer-${n}`));
  await keys.subjects(clanker, names, { create: true });
  const other = openKeys({ keeper: openKeeper(child.socketPath), clock });
  await Promise.all(
    names.map(async (name) => {
      const [found] = await keys.subjects(clanker, [name], { create: true });
      const asking = other.subjects(clanker, [name], { create: false });
      await keys.destroy(erase(), found?.subject ?? NOBODY, tomorrow());
      await asking;
    }),
  );
  for (const name of names) assert.equal(other.cached(clanker, name), undefined);
  other.close();
});

test('no opened key outlives its time, or the number that may be open', async () => {
  const own = () => openKeeper(child.socketPath);
  const brief = openKeys({ keeper: own(), clock, cacheLifeMs: 60 });
  await brief.subjects(clanker, [user('brief')], { create: true });
  assert.ok(brief.cached(clanker, user('brief')));
  await new Promise((resolve) => setTimeout(resolve, 65));
  assert.equal(brief.cached(clanker, user('brief')), undefined);
  brief.close();
  const small = openKeys({ keeper: own(), clock, cacheKeysMax: 10 });
  const many = Array.from({ length: 100 }, (_, n) => user(`many-${n}`));
  await small.subjects(clanker, many, { create: true });
  const open = many.filter((handle) => small.cached(clanker, handle));
  assert.ok(open.length <= 10, `${open.length} keys are open`);
  small.close();
});

test('losing the keeper makes a server forget every key', async () => {
  await person('forgetful');
  process.kill(child.pid, 'SIGKILL');
  while (keys.cached(clanker, user('forgetful'))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(!(await person('forgetful')).created, 'the key itself is where it was');
});

test('erasing a person takes along what was linked to them', async () => {
  const [device, ada] = [{ kind: 'anonymous', value: 'phone' } as const, user('linked-ada')];
  await keys.link(clanker, device, ada);
  await keys.link(clanker, device, ada);
  const [phone, person] = await keys.subjects(clanker, [device, ada], { create: false });
  assert.deepEqual(await keys.linked(clanker, person?.subject ?? NOBODY), [
    person?.subject,
    phone?.subject,
  ]);
  const gone = await keys.destroy(erase(), person?.subject ?? NOBODY, tomorrow());
  assert.equal(gone.subjects.length, 2);
  assert.deepEqual(await keys.find(clanker, [device, ada], { create: true }), ['erased', 'erased']);
});

test('a hidden person has no key until released', async () => {
  const ada = await person('hidden-ada');
  await keys.quarantine(erase(), ada.subject, tomorrow());
  assert.deepEqual(await keys.find(clanker, [user('hidden-ada')], { create: true }), ['hidden']);
  assert.equal(await keys.release(erase(), ada.subject), 1);
  const [back] = await keys.subjects(clanker, [user('hidden-ada')], { create: false });
  assert.ok(back?.key.equals(ada.key));
});

test('pseudonyms repeat within their day, differ between days, words and tenants', async () => {
  const magenta = TenantId('magenta');
  await keys.prepare(magenta);
  const today = Math.floor(clock.now().getTime() / DAY);
  const number = keys.pseudonym(clanker, 'session', 'x', today);
  assert.equal(keys.pseudonym(clanker, 'session', 'x', today), number);
  const others = [
    keys.pseudonym(clanker, 'session', 'x', today + 1),
    keys.pseudonym(clanker, 'session', 'x'),
    keys.pseudonym(clanker, 'message', 'x', today),
    keys.pseudonym(magenta, 'session', 'x', today),
    keys.pseudonym(clanker, 'session', 'y', today),
  ];
  assert.equal(new Set([number, ...others]).size, 6);
  assert.throws(() => keys.hash(TenantId('nobody'), 'session', 'x'), { code: 'keys-not-ready' });
  assert.throws(() => keys.hash(clanker, 'session', 'x', today - 9), { code: 'keys-not-ready' });
});

test('a type or a day has one key for all, and its older versions are found by their frames', async () => {
  const type = DataTypeId('api-logs');
  const key = await keys.shared(clanker, type, undefined);
  const day = await keys.shared(clanker, type, 20_000);
  assert.equal(key.subject, NOBODY);
  assert.ok(!key.key.equals(day.key));
  const place = { tenant: clanker, table: 'api_logs', row: '1', subject: undefined, revision: 1 };
  const frame = keys.seal(day, Buffer.from('seen'), place);
  const found = await keys.sharedOf(clanker, { type, day: 20_000 }, frame);
  assert.ok(found);
  assert.equal(keys.open(found, frame, place).toString(), 'seen');
  assert.equal(await keys.sharedOf(clanker, { type, day: undefined }, frame), undefined);
});

test('an audit entry can be shown to match a value only while the person’s key lives', async () => {
  const ada = await person('committed');
  const personal = personalOf(ada, { email: 'ada@example.org' }, { tenant: clanker, revision: 1 });
  const place = {
    tenant: clanker,
    table: 'audit_entries',
    column: 'sealed_salt',
    row: '',
    subject: ada.subject,
    revision: 1,
  };
  const salt = keys.open(ada, Buffer.from(personal.sealedSalt), place);
  const shown = commitmentOf(salt, 'email', 'ada@example.org');
  assert.equal(shown, commitmentOf(personal.salt, 'email', 'ada@example.org'));
});

test('the vault is asked for by name, and is the same one again', async () => {
  const place = { tenant: clanker, table: 'secrets', row: '1', subject: undefined, revision: 1 };
  const frame = (await keys.vault(clanker, 'github')).seal(Buffer.from('token'), place);
  const permit = authorize(at, system, 'vault.open');
  const again = await keys.vault(clanker, 'github');
  assert.equal(again.open(permit, frame, place).toString(), 'token');
  const other = await keys.vault(clanker, 'gitlab');
  assert.throws(() => other.open(permit, frame, place), { code: 'sealed-text-invalid' });
});

test('rotation falls due on day 25, is recorded, and changes no person’s key', async () => {
  const ada = await person('rotated');
  const started = new Date((await keysStatus(keeper, clock.now())).epochAt);
  const onDay = (day: number) => new Date(started.getTime() + day * DAY);
  assert.equal((await keysStatus(keeper, onDay(24.9))).rotationDue, false);
  assert.equal((await keysStatus(keeper, onDay(25))).rotationDue, true);
  assert.equal((await keysStatus(keeper, onDay(29.9))).rotationOverdue, false);
  assert.equal((await keysStatus(keeper, onDay(30))).rotationOverdue, true);
  const scope = { tenant: world.tenant, revision: 1 };
  const permits = [authorize(scope, system, 'key.rotate')];
  const now = onDay(25);
  const { epoch, rewrapped } = await keysRotate({ keeper, db: world.db, permits, now });
  assert.equal(epoch, 2);
  assert.ok(rewrapped > 100);
  const status = await keysStatus(keeper, now);
  assert.deepEqual([status.rotating, status.rotationDue, status.ageDays], [false, false, 0]);
  const entries = await readAudit(world.db, { tenant: world.tenant, limit: 1_000 });
  assert.ok(entries.some(({ event, kind }) => event === 'key.rotated' && kind === 'outcome'));
  assert.equal((await openIntents(world.db, world.tenant)).length, 0);
  const [found] = await keys.openSubjects(clanker, [SubjectId(ada.subject)]);
  assert.ok(found?.key.equals(ada.key));
});

test('the recovery kit is printed once and read back from any of its shares', async () => {
  const { kit, lines } = await recoveryKit(keeper, clock.now(), { shares: 3, threshold: 2 });
  assert.match(kit, /any 2 of these 3 lines/);
  assert.deepEqual(readKit(lines.slice(1)), readKit(lines.slice(0, 2)));
  const { durabilityGaps } = await keysStatus(keeper, clock.now());
  assert.deepEqual(durabilityGaps, ['both copies are on one disk']);
});
