import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { silentLog } from '#platform/log';
import { type Keeper, openKeeper, startKeeper } from './index.ts';
import { SIGNING_TENANT } from './named-keys.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const PEOPLE = 4_500;
const folder = mkdtempSync(join(tmpdir(), 'keys-end-'));
const [keyringDir, copyDir, runtimeDir] = ['a', 'b', 'r'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
let keeper: Keeper;
let child: Awaited<ReturnType<typeof startKeeper>>;
before(async () => {
  mkdirSync(runtimeDir);
  const given = { keyringDir, copyDir, runtimeDir, create: true, log: silentLog };
  child = await startKeeper(given);
  keeper = openKeeper(child.socketPath, { deadlineMs: 20_000 });
});
after(async () => {
  keeper?.close();
  await child?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const handles = (count: number) =>
  Array.from({ length: count }, () => randomBytes(16).toString('base64'));
const people = async (tenant: string, count: number) =>
  (await keeper.call('subjects', {
    tenant,
    handles: handles(count),
    create: true,
    at: NOW,
  })) as OpenedKey[];
const bytesOf = (dir: string) =>
  Buffer.concat(readdirSync(dir).map((file) => readFileSync(join(dir, file))));

/** Every wrapped key of a tenant, from a copy of the file. */
function wrappedOf(tenant: string): Buffer[] {
  const file = join(folder, `look-${randomBytes(4).toString('hex')}.sqlite`);
  spawnSync('cp', [join(keyringDir, 'keyring.sqlite'), file]);
  const db = new DatabaseSync(file);
  const rows = ['subject_keys', 'named_keys', 'keks'].flatMap((table) =>
    db.prepare(`select wrapped from ${table} where tenant = ?`).all(tenant),
  );
  db.close();
  return rows.map((row) => Buffer.from(row['wrapped'] as Uint8Array));
}

async function end(tenant: string): Promise<number> {
  for (let calls = 1; ; calls++) {
    if (!(await keeper.call('destroyTenant', { tenant })).more) return calls;
  }
}

test('a tenant that ends leaves nothing in either copy, also while keys are rotated', async () => {
  const [ada] = await people('clanker', PEOPLE);
  const [bob] = await people('loopkit', 50);
  assert.ok(ada && bob);
  const named = { tenant: 'clanker', name: 'type/a', class: 'type' as const, at: NOW };
  const [key] = await keeper.call('named', { keys: [named] });
  await keeper.call('quarantine', { tenant: 'clanker', subject: ada.subject, destroyAt: NOW + 1 });
  assert.deepEqual(await keeper.call('census', { tenant: 'clanker' }), {
    people: PEOPLE,
    keys: PEOPLE + 1,
    handles: PEOPLE,
    links: 0,
  });
  const wrapped = wrappedOf('clanker');
  const others = wrappedOf('loopkit');
  assert.ok(wrapped.every((bytes) => bytesOf(copyDir).includes(bytes)));

  await keeper.call('rotate', { at: NOW });
  assert.ok((await end('clanker')) > 1, 'some thousand rows a call');
  for (const dir of [keyringDir, copyDir]) {
    const bytes = bytesOf(dir);
    assert.ok(others.length > 0 && !bytes.includes(Buffer.from('clanker')));
    assert.ok(wrapped.every((one) => !bytes.includes(one)));
    assert.ok(!bytes.includes(Buffer.from(ada.subject, 'hex')));
  }
  const ask = { tenant: 'clanker', subjects: [ada.subject], at: NOW };
  assert.deepEqual(await keeper.call('open', ask), ['unknown']);
  while ((await keeper.call('status', { at: NOW })).rotating) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [again] = (await keeper.call('open', {
    tenant: 'loopkit',
    subjects: [bob.subject],
    at: NOW,
  })) as OpenedKey[];
  assert.equal(again?.key, bob.key, 'nobody else lost anything');
  const [anew] = await keeper.call('named', { keys: [named] });
  assert.notEqual(anew?.key, key?.key, 'a service of the same name begins with keys of its own');
});

test('ending a tenant twice, or one that never was, is harmless; what signs never ends', async () => {
  assert.equal(await end('clanker'), 1);
  assert.equal(await end('nobody-here'), 1);
  await assert.rejects(keeper.call('destroyTenant', { tenant: SIGNING_TENANT }), {
    code: 'keyring-call-invalid',
  });
});

test('every server is told to drop what it holds of the tenant before the answer', async () => {
  const told: unknown[] = [];
  keeper.onEvict((evict) => void told.push(evict));
  const { acknowledged, cutOff } = await keeper.call('destroyTenant', { tenant: 'loopkit' });
  assert.deepEqual([acknowledged, cutOff], [1, 0]);
  assert.deepEqual(told, [{ tenant: 'loopkit', subjects: [], names: [], all: true }]);
});
