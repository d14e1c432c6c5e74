import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { silentLog } from '#platform/log';
import type { Supervised } from '#platform/runtime';
import {
  type Keeper,
  openKeeper,
  printKit,
  readKit,
  restoreKeyring,
  startKeeper,
} from './index.ts';
import { openKeyring } from './keyring.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const closing: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

type Place = { folder: string; keys: string; copy: string; run: string };
function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const at = { folder, keys: join(folder, 'a'), copy: join(folder, 'b'), run: join(folder, 'r') };
  mkdirSync(at.run);
  return at;
}

type Options = { copy?: boolean; passphraseFile?: string; create?: boolean; keys?: string };
async function started(at: Place, options: Options = {}) {
  const child = await startKeeper({
    keyringDir: options.keys ?? at.keys,
    copyDir: options.copy === false ? undefined : at.copy,
    passphraseFile: options.passphraseFile,
    runtimeDir: at.run,
    create: options.create ?? true,
    log: silentLog,
  });
  const keeper = openKeeper(child.socketPath);
  const stop = async () => {
    keeper.close();
    await child.stop();
  };
  closing.push(stop);
  return { child: child as Supervised & { socketPath: string }, keeper, stop };
}

const handle = () => randomBytes(16).toString('base64');
async function people(keeper: Keeper, count: number): Promise<OpenedKey[]> {
  const handles = Array.from({ length: count }, handle);
  const ask = { tenant: 'clanker', handles, create: true, at: NOW };
  return (await keeper.call('subjects', ask)) as OpenedKey[];
}
const subjectsOf = (keys: OpenedKey[]) => keys.map(({ subject }) => subject);

/** Every byte in both directories, read past the keeper's lock. */
const bytesOf = (...dirs: string[]) =>
  Buffer.concat(dirs.flatMap((dir) => readdirSync(dir).map((f) => readFileSync(join(dir, f)))));

/** Read from a copied file, since the keeper holds the lock of its own. */
function wrappedOf(at: Place, subject: string): Buffer {
  const file = join(at.folder, `look-${randomBytes(4).toString('hex')}.sqlite`);
  spawnSync('cp', [join(at.keys, 'keyring.sqlite'), file]);
  const db = new DatabaseSync(file);
  const row = db
    .prepare('select wrapped from subject_keys where subject = ?')
    .get(Buffer.from(subject, 'hex'));
  db.close();
  return Buffer.from(row?.['wrapped'] as Uint8Array);
}

test('one handle has one key, the same after a restart, and each person another', async () => {
  const at = place();
  const first = await started(at);
  const handles = [handle(), handle()];
  const ask = { tenant: 'clanker', handles, create: true, at: NOW };
  const [ada, bob] = (await first.keeper.call('subjects', ask)) as [OpenedKey, OpenedKey];
  assert.ok(ada.created);
  assert.notEqual(ada.key, bob.key);
  await first.stop();
  const second = await started(at, { create: false });
  const [again] = (await second.keeper.call('subjects', ask)) as [OpenedKey];
  assert.deepEqual(again, { ...ada, created: false });
  const other = await second.keeper.call('subjects', { ...ask, tenant: 'magenta', create: false });
  assert.deepEqual(other, ['unknown', 'unknown']);
  const [byId] = await second.keeper.call('open', { ...ask, subjects: [ada.subject] });
  assert.deepEqual(byId, again);
  assert.equal(statSync(second.child.socketPath).mode & 0o777, 0o600);
  assert.equal(statSync(at.keys).mode & 0o777, 0o700);
});

test('a destroyed key is in no file of either copy, where it was found before', async () => {
  const at = place();
  const { keeper } = await started(at);
  const keys = await people(keeper, 50);
  const [ada, bob] = keys as [OpenedKey, OpenedKey];
  const wrapped = wrappedOf(at, ada.subject);
  const alive = wrappedOf(at, bob.subject);
  assert.equal(wrapped.length, 72);
  assert.ok(bytesOf(at.keys).includes(wrapped) && bytesOf(at.copy).includes(wrapped));
  const { subject } = ada;
  const late = { tenant: 'clanker', subject, at: NOW, lateUntil: NOW + DAY };
  const gone = await keeper.call('destroy', late);
  assert.deepEqual(gone.keyIds, [ada.keyId]);
  assert.equal(gone.acknowledged, 1);
  for (const dir of [at.keys, at.copy]) {
    const bytes = bytesOf(dir);
    assert.ok(bytes.includes(alive), 'the search itself works');
    assert.ok(!bytes.includes(wrapped), `${dir} still holds the wrapped key`);
    assert.ok(!bytes.includes(Buffer.from(subject, 'hex')), `${dir} still holds the opaque id`);
    for (const { key } of keys) assert.ok(!bytes.includes(Buffer.from(key, 'base64')));
  }
  const again = await keeper.call('destroy', late);
  assert.deepEqual(again.keyIds, [], 'a repeat is harmless');
});

test('after an erasure late events find no key, and who returns later is somebody new', async () => {
  const { keeper } = await started(place());
  const ask = { tenant: 'clanker', handles: [handle()], create: true, at: NOW };
  const [ada] = (await keeper.call('subjects', ask)) as [OpenedKey];
  const { subject } = ada;
  await keeper.call('destroy', { tenant: 'clanker', subject, at: NOW, lateUntil: NOW + DAY });
  assert.deepEqual(await keeper.call('subjects', { ...ask, at: NOW + DAY - 1 }), ['erased']);
  const [back] = (await keeper.call('subjects', { ...ask, at: NOW + DAY })) as [OpenedKey];
  assert.ok(back.created);
  assert.notEqual(back.subject, ada.subject);
});

test('a destruction waits until every server has dropped the key, and cuts off the silent', async () => {
  const { keeper, child } = await started(place());
  const [ada, bob] = (await people(keeper, 2)) as [OpenedKey, OpenedKey];
  const other = openKeeper(child.socketPath);
  closing.push(() => other.close());
  await other.call('hello', { listen: true });
  // Whether it answers is asked over the same connection, which goes on listening.
  await other.call('hello', { listen: false });
  let dropped = false;
  let lost = false;
  other.onEvict(async ({ subjects }) => {
    if (subjects.includes(bob.subject)) await new Promise(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    dropped = subjects.includes(ada.subject);
  });
  other.onLost(() => {
    lost = true;
  });
  const late = { tenant: 'clanker', at: NOW, lateUntil: NOW + DAY };
  const gone = await keeper.call('destroy', { ...late, subject: ada.subject });
  assert.ok(dropped, 'answered before the other server had dropped its copy');
  assert.equal(gone.acknowledged, 2);
  const cut = await keeper.call('destroy', { ...late, subject: bob.subject });
  assert.deepEqual([cut.acknowledged, cut.cutOff], [1, 1]);
  while (!lost) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('a quarantined key opens nothing, comes back when released, and goes when it is due', async () => {
  const at = place();
  const { keeper } = await started(at);
  const ask = { tenant: 'clanker', handles: [handle()], create: true, at: NOW };
  const [ada] = (await keeper.call('subjects', ask)) as [OpenedKey];
  const { subject } = ada;
  const before = wrappedOf(at, subject);
  await keeper.call('quarantine', { tenant: 'clanker', subject, destroyAt: NOW + 30 * DAY });
  assert.deepEqual(await keeper.call('subjects', ask), ['hidden']);
  assert.deepEqual(await keeper.call('open', { ...ask, subjects: [subject] }), ['hidden']);
  assert.ok(!bytesOf(at.keys, at.copy).includes(before), 'it is still wrapped as before');
  await keeper.call('release', { tenant: 'clanker', subject });
  const [back] = (await keeper.call('subjects', ask)) as [OpenedKey];
  assert.equal(back.key, ada.key);
  await keeper.call('quarantine', { tenant: 'clanker', subject, destroyAt: NOW + DAY });
  const early = { at: NOW + DAY - 1, lateUntil: NOW + 2 * DAY };
  assert.equal((await keeper.call('destroyDue', early)).subjects, 0);
  const due = { at: NOW + DAY, lateUntil: NOW + 2 * DAY };
  assert.equal((await keeper.call('destroyDue', due)).subjects, 1);
  assert.deepEqual(await keeper.call('open', { ...ask, subjects: [subject] }), ['unknown']);
});

test('a type key rolls its version before 2^28 seals, and the old version still opens', async () => {
  const { keeper } = await started(place());
  const key = { tenant: 'clanker', name: 'type/agent-commands', class: 'type' as const, at: NOW };
  const ask = { keys: [{ ...key, lease: 2 ** 27 }] };
  const [first] = await keeper.call('named', ask);
  const [second] = await keeper.call('named', ask);
  const [third] = await keeper.call('named', ask);
  assert.deepEqual([first?.version, second?.version, third?.version], [1, 1, 2]);
  const old = { tenant: 'clanker', name: key.name, keyId: first?.keyId ?? '' };
  assert.deepEqual(await keeper.call('namedVersion', old), first);
});

test('a period key is destroyed on its day and never made again', async () => {
  const { keeper } = await started(place());
  const name = 'period/2026-03-02';
  const key = { tenant: 'clanker', name, class: 'period' as const, at: NOW };
  const keys = [{ ...key, destroyAt: NOW + DAY }];
  await keeper.call('named', { keys });
  assert.equal((await keeper.call('destroyDue', { at: NOW + DAY, lateUntil: 0 })).named, 1);
  await assert.rejects(keeper.call('named', { keys }), { code: 'keyring-call-invalid' });
});

test('what the keeper does not know is refused, and the connection lives on', async () => {
  const { keeper } = await started(place());
  await assert.rejects(keeper.call('nothing' as 'hello', { listen: true }), {
    code: 'keyring-call-invalid',
  });
  const handles = Array.from({ length: 10_001 }, handle);
  const many = { tenant: 'clanker', handles, create: true, at: NOW };
  await assert.rejects(keeper.call('subjects', many), { code: 'keyring-call-invalid' });
  assert.equal((await people(keeper, 1)).length, 1);
});

test('a key that was handed out survives kill -9, twenty times, in both copies', async () => {
  const at = place();
  const entry = join(import.meta.dirname, 'process.ts');
  const socketPath = join(at.run, 's');
  const args = [entry, '--keyring', at.keys, '--copy', at.copy, '--socket', socketPath, '--create'];
  const start = () => spawn(process.execPath, args, { stdio: 'ignore' });
  const keeper = openKeeper(socketPath, { deadlineMs: 30_000 });
  const acknowledged = new Map<string, string>();
  let running = true;
  const load = Promise.all(
    [1, 2, 3].map(async () => {
      while (running) {
        for (const { subject, key } of await people(keeper, 5)) acknowledged.set(subject, key);
      }
    }),
  );
  let child = start();
  for (let kill = 0; kill < 20; kill += 1) {
    const before = acknowledged.size;
    while (acknowledged.size < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    await once(child, 'exit');
    child = start();
  }
  running = false;
  await load;
  const subjects = [...acknowledged.keys()];
  const keys = await keeper.call('open', { tenant: 'clanker', subjects, at: NOW });
  for (const [index, found] of keys.entries()) {
    assert.equal((found as OpenedKey).key, acknowledged.get(subjects[index] ?? ''));
  }
  keeper.close();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const copy = openKeyring({ dir: at.copy, create: false });
  const held = copy.all<{ subject: Uint8Array }>('select subject from subject_keys');
  const inCopy = new Set(held.map(({ subject }) => Buffer.from(subject).toString('hex')));
  copy.close();
  for (const subject of subjects) assert.ok(inCopy.has(subject));
});

test('nobody else can open a keyring that is open', async () => {
  const at = place();
  const { child } = await started(at);
  const entry = join(import.meta.dirname, 'process.ts');
  const args = [entry, '--keyring', at.keys, '--copy', at.copy, '--socket', join(at.run, 's')];
  const second = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(second.status, 78);
  assert.match(second.stderr, /another keeper has this keyring open/);
  assert.ok(child.pid > 0);
});

test('a keyring is never made anew for data that has one', async () => {
  const at = place();
  const { keeper, stop } = await started(at);
  await people(keeper, 1);
  await stop();
  rmSync(join(at.keys, 'keyring.sqlite'));
  const entry = join(import.meta.dirname, 'process.ts');
  const run = (...more: string[]) =>
    spawnSync(
      process.execPath,
      [entry, '--keyring', at.keys, '--socket', join(at.run, 's'), ...more],
      { encoding: 'utf8', timeout: 10_000 },
    );
  assert.match(run('--copy', at.copy, '--create').stderr, /its second copy is not: restore/);
  assert.match(run().stderr, /there is no keyring here, and this is no first start/);
});

test('the second copy opens everything with the printed kit, whole or in shares', async () => {
  const at = place();
  const passphraseFile = join(at.folder, 'passphrase');
  writeFileSync(passphraseFile, 'correct horse battery\n');
  const { keeper, stop } = await started(at, { passphraseFile });
  const status = await keeper.call('status', { at: NOW });
  assert.equal(status.wrap, 'passphrase');
  assert.ok(status.durabilityGaps.includes('no recovery kit was made'));
  const keys = await people(keeper, 20);
  const { secret } = await keeper.call('recovery', { at: NOW });
  assert.equal((await keeper.call('status', { at: NOW })).recovery, true);
  const kit = printKit(Buffer.from(secret, 'base64'), { shares: 5, threshold: 3 });
  await stop();
  rmSync(at.keys, { recursive: true });

  const to = join(at.folder, 'restored');
  const wrong = { from: at.copy, to };
  assert.throws(() => restoreKeyring({ ...wrong, kit: kit.slice(0, 2) }), {
    code: 'recovery-kit-invalid',
  });
  assert.throws(() => readKit([`${kit[0]?.slice(0, -1)}Z`]), { code: 'recovery-kit-invalid' });
  const typed = kit.slice(1, 4).map((line) => line.toLowerCase().replaceAll('0', 'o'));
  const restored = restoreKeyring({ from: at.copy, to, kit: typed, passphrase: 'another one' });
  assert.equal(restored.keysOpened, 20);

  writeFileSync(passphraseFile, 'another one');
  const again = await started(at, { passphraseFile, keys: to, copy: false, create: false });
  const ask = { tenant: 'clanker', subjects: subjectsOf(keys), at: NOW };
  const found = (await again.keeper.call('open', ask)) as OpenedKey[];
  assert.deepEqual(
    found.map(({ key }) => key),
    keys.map(({ key }) => key),
  );
});

test('a wrong passphrase, or none, is refused with a sentence', async () => {
  const at = place();
  const passphraseFile = join(at.folder, 'passphrase');
  writeFileSync(passphraseFile, 'right');
  const { stop } = await started(at, { passphraseFile });
  await stop();
  writeFileSync(passphraseFile, 'wrong');
  const args = [
    ...[join(import.meta.dirname, 'process.ts'), '--keyring', at.keys, '--copy', at.copy],
    ...['--socket', join(at.run, 's')],
  ];
  const run = (...more: string[]) =>
    spawnSync(process.execPath, [...args, ...more], { encoding: 'utf8', timeout: 10_000 });
  assert.match(run('--passphrase-file', passphraseFile).stderr, /does not open the keyring/);
  assert.match(run().stderr, /needs its passphrase file/);
});

test('a keeper that does not come back is a problem, not a hang', async () => {
  const keeper = openKeeper(join(tmpdir(), 'nobody.sock'), { deadlineMs: 100 });
  await assert.rejects(keeper.call('status', { at: NOW }), { code: 'keeper-unavailable' });
});
