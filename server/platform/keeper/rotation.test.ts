import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '#platform/log';
import { openCustody } from './custody.ts';
import { openKeeper, startKeeper } from './index.ts';
import { openKeyring } from './keyring.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a rotation cut by kill -9 goes on, and then nothing opens an older copy', async () => {
  const [keyringDir, copyDir, runtimeDir] = ['a', 'b', 'r'].map((name) => join(folder, name));
  assert.ok(keyringDir && copyDir && runtimeDir);
  mkdirSync(runtimeDir);
  const child = await startKeeper({
    keyringDir,
    copyDir,
    runtimeDir,
    create: true,
    log: silentLog,
  });
  const keeper = openKeeper(child.socketPath, { deadlineMs: 20_000 });
  const keys: OpenedKey[] = [];
  for (const tenant of ['clanker', 'magenta', 'loopkit']) {
    const handles = Array.from({ length: 4_000 }, () => randomBytes(16).toString('base64'));
    const made = await keeper.call('subjects', { tenant, handles, create: true, at: NOW });
    if (tenant === 'magenta') keys.push(...(made as OpenedKey[]));
  }
  const [hidden] = keys.splice(0, 1);
  const tenant = 'magenta';
  const subject = hidden?.subject ?? '';
  await keeper.call('quarantine', { tenant, subject, destroyAt: NOW + 1 });
  await keeper.call('named', { keys: [{ tenant, name: 'type/a', class: 'type', at: NOW }] });
  const oldRoot = readFileSync(join(keyringDir, 'root-1.json'));
  const oldKey = (JSON.parse(oldRoot.toString()) as { key: string }).key;
  const backup = join(folder, 'backup');
  mkdirSync(backup);
  process.getBuiltinModule('node:child_process').spawnSync('cp', ['-r', `${keyringDir}/.`, backup]);
  rmSync(join(backup, 'root-1.json'));

  assert.equal((await keeper.call('rotate', { at: NOW })).epoch, 2);
  let cuts = 0;
  for (;;) {
    const { rotating, keysLeft } = await keeper.call('status', { at: NOW });
    if (!rotating) break;
    if (keysLeft > 0 && cuts < 3) {
      cuts += 1;
      process.kill(child.pid, 'SIGKILL');
      await pause(30);
    }
    await pause(5);
  }
  assert.ok(cuts > 0, 'the rotation was over before it could be cut');
  for (const dir of [keyringDir, copyDir]) {
    const names = readdirSync(dir).filter((name) => name.startsWith('root-'));
    assert.deepEqual(names, ['root-2.json']);
    for (const name of readdirSync(dir)) {
      assert.ok(!readFileSync(join(dir, name)).includes(oldKey));
    }
  }
  const subjects = keys.map((key) => key.subject);
  const found = await keeper.call('open', { tenant, subjects, at: NOW });
  assert.deepEqual(
    found.map((key) => (key as OpenedKey).key),
    keys.map(({ key }) => key),
  );
  assert.equal((await keeper.call('release', { tenant, subject })).released, 1);
  const [back] = await keeper.call('open', { tenant, subjects: [subject], at: NOW });
  assert.equal((back as OpenedKey).key, hidden?.key);
  keeper.close();
  await child.stop();

  // An older copy of the database, and the newest root: nothing opens.
  const newRoot = readFileSync(join(keyringDir, 'root-2.json'));
  process.getBuiltinModule('node:fs').writeFileSync(join(backup, 'root-2.json'), newRoot);
  const old = openKeyring({ dir: backup, create: false });
  assert.throws(() => openCustody(old, { passphrase: undefined, at: NOW }), {
    code: 'keyring-refused',
  });
  old.close();
});

test('a second copy that fell behind is made anew, and one that is ahead is not overwritten', () => {
  const [dir, copyDir] = [join(folder, 'first'), join(folder, 'second')];
  const alone = openKeyring({ dir, create: true });
  openCustody(alone, { passphrase: undefined, at: NOW });
  alone.close();
  const both = openKeyring({ dir, copyDir, create: false });
  both.commit(() => both.run("insert into meta (name, value) values ('mark', 7)"));
  both.close();
  const ahead = openKeyring({ dir: copyDir, create: false });
  assert.equal(
    ahead.get<{ value: number }>("select value from meta where name = 'mark'")?.value,
    7,
  );
  ahead.commit(() => ahead.run("delete from meta where name = 'mark'"));
  ahead.close();
  assert.throws(() => openKeyring({ dir, copyDir, create: false }), { code: 'keyring-refused' });
});

test('a group that fails leaves no key behind that is in no file', () => {
  const keyring = openKeyring({ dir: join(folder, 'undone'), create: true });
  const custody = openCustody(keyring, { passphrase: undefined, at: NOW });
  const ask = { tenant: 'new', handles: [randomBytes(16).toString('base64')], create: true, at: 1 };
  assert.throws(() =>
    keyring.commit(() => {
      custody.perform('subjects', ask as never);
      throw new Error('the disk is full');
    }),
  );
  const made = keyring.commit(() => custody.perform('subjects', ask as never));
  keyring.close();
  const again = openKeyring({ dir: join(folder, 'undone'), create: false });
  const after = openCustody(again, { passphrase: undefined, at: NOW });
  const found = again.commit(() => after.perform('subjects', ask as never));
  const keyOf = (done: { answer: unknown }) => (done.answer as OpenedKey[])[0]?.key;
  assert.equal(keyOf(found), keyOf(made));
  again.close();
});

test('while the second copy is out of reach nothing is destroyed', () => {
  const copyDir = join(folder, 'file-in-the-way');
  process.getBuiltinModule('node:fs').writeFileSync(copyDir, '');
  const keyring = openKeyring({ dir: join(folder, 'degraded'), copyDir, create: true });
  const custody = openCustody(keyring, { passphrase: undefined, at: NOW });
  assert.ok(custody.status(0).durabilityGaps.includes('the second copy is out of reach'));
  const ask = { tenant: 'a', subject: '0'.repeat(32), at: NOW, lateUntil: NOW };
  assert.throws(() => keyring.commit(() => custody.perform('destroy', ask as never)), {
    code: 'keyring-copy-missing',
  });
  keyring.close();
});
