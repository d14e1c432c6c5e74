import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openCustody } from './custody.ts';
import { openKeyring } from './keyring.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'copy-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function opened(name: string) {
  const [dir, copyDir] = [join(folder, name, 'keys'), join(folder, name, 'copy')];
  const keyring = openKeyring({ dir, copyDir, create: true });
  const custody = openCustody(keyring, { passphrase: undefined, at: NOW });
  const person = (handle = randomBytes(16).toString('base64')): OpenedKey => {
    const ask = { tenant: 'a', handles: [handle], create: true, at: NOW };
    const { answer } = keyring.commit(() => custody.perform('subjects', ask as never));
    return (answer as OpenedKey[])[0] as OpenedKey;
  };
  return { dir, copyDir, keyring, custody, person };
}

test('a second copy whose disk is gone makes no key, and comes back with all of them', async () => {
  const { copyDir, keyring, custody, person } = opened('unmounted');
  const handle = randomBytes(16).toString('base64');
  const ada = person(handle);
  renameSync(copyDir, `${copyDir}-away`);
  await wait(1_100);
  assert.throws(() => person(), { code: 'keyring-copy-missing' });
  assert.equal(person(handle).key, ada.key, 'a key that there is opens all the same');
  const { copies, durabilityGaps } = custody.status(0);
  assert.equal(copies, 1);
  assert.ok(durabilityGaps.includes('the second copy is out of reach'));
  assert.throws(() => custody.rotate(NOW), { code: 'keyring-copy-missing' });
  assert.ok(!existsSync(copyDir), 'keys were put where the disk had been');

  renameSync(`${copyDir}-away`, copyDir);
  await wait(5_100);
  const bob = person();
  assert.equal(custody.status(0).copies, 2);
  keyring.close();
  const copy = openKeyring({ dir: copyDir, create: false });
  const held = openCustody(copy, { passphrase: undefined, at: NOW });
  const ask = { tenant: 'a', subjects: [ada.subject, bob.subject], at: NOW };
  const { answer } = copy.commit(() => held.perform('open', ask as never));
  assert.deepEqual(
    (answer as OpenedKey[]).map(({ key }) => key),
    [ada.key, bob.key],
  );
  copy.close();
});

test('the file of a copy that was removed is made anew, and a status never counts it meanwhile', async () => {
  const { copyDir, keyring, custody, person } = opened('removed');
  person();
  rmSync(join(copyDir, 'keyring.sqlite'));
  assert.equal(custody.status(0).copies, 1);
  assert.throws(() => custody.rotate(NOW), { code: 'keyring-copy-missing' });
  await wait(5_100);
  assert.equal(custody.status(0).copies, 2);
  assert.ok(existsSync(join(copyDir, 'keyring.sqlite')));
  assert.equal(custody.rotate(NOW).epoch, 2);
  keyring.close();
});

test('a keyring whose own file was removed makes no key that a restart would lose', () => {
  const { dir, keyring, custody, person } = opened('gone');
  person();
  rmSync(join(dir, 'keyring.sqlite'));
  const [gap] = custody.status(0).durabilityGaps;
  assert.equal(gap, 'the file of the keyring is gone from its directory');
  assert.throws(() => person(), { code: 'keyring-refused' });
  keyring.close();
});
