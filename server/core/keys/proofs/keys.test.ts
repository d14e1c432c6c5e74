import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

/** No backup is made yet, so what is said of backups has nothing to look at. */
const OF_BACKUPS = ['LK-51', 'LK-60'];

const sealing = (from: string, to: string): Edit => ['core/keys/fields.ts', from, to];

test('personal values are sealed on the disk, under keys that lie elsewhere and are young', async () => {
  // MG-68 also names who runs the machines, and nothing here can see that.
  await proven.keeps('encryption.at-rest', [...OF_BACKUPS, 'MG-68']);
  await proven.keeps('keys.rotate');
  await proven.keeps('keys.apart', OF_BACKUPS);
  await proven.keeps('keys.two-wraps');
});

test('what is written down without being sealed is found', async () => {
  await proven.restart([
    sealing(
      'frame.set(gcm.update(plaintext), HEAD_BYTES);',
      'gcm.update(plaintext); frame.set(plaintext, HEAD_BYTES);',
    ),
  ]);
  await proven.breaks('encryption.at-rest', OF_BACKUPS);
});

test('a weaker cipher is found', async () => {
  await proven.restart([
    sealing(
      "createCipheriv('aes-256-gcm', key.key, nonce)",
      "createCipheriv('aes-128-gcm', key.key.export().subarray(0, 16), nonce)",
    ),
  ]);
  await proven.breaks('encryption.at-rest', OF_BACKUPS);
});

test('a ciphertext that fits any other place is found', async () => {
  await proven.restart([
    sealing(
      'key.key, nonce);\n  gcm.setAAD(aadOf(place, key.keyId));\n  frame.set',
      'key.key, nonce);\n  frame.set',
    ),
  ]);
  await proven.breaks('encryption.at-rest', OF_BACKUPS);
});

test('a nonce that comes again is found', async () => {
  await proven.restart([
    sealing(
      'return pool.subarray(used - NONCE_BYTES, used);',
      'return Buffer.alloc(NONCE_BYTES, 7);',
    ),
  ]);
  await proven.breaks('encryption.at-rest', OF_BACKUPS);
});

test('a key that could be derived again is found: from an id, from the root, from a name', async () => {
  const keys = 'platform/keeper/subject-keys.ts';
  const keks = 'platform/keeper/keks.ts';
  const made = (from: string): Edit[] => [
    // The keeper is a process of its own: the edits are handed on to it.
    [
      'platform/keeper/start.ts',
      "...['--no-warnings', ",
      "...[process.env.NODE_OPTIONS, '--no-warnings', ",
    ],
    [
      keys,
      "import { randomBytes } from 'node:crypto';",
      "import { createHash, createHmac, randomBytes } from 'node:crypto';",
    ],
    [keys, 'const key = randomBytes(32);', `const key = ${from};`],
    [
      keks,
      "import { randomBytes } from 'node:crypto';",
      "import { hkdfSync, randomBytes } from 'node:crypto';",
    ],
    [
      keks,
      '  get epoch(): number {',
      `  derive(of: Buffer) {
    return Buffer.from(hkdfSync('sha256', this.#roots.get(this.#epoch).raw, '', of, 32));
  }
  get epoch(): number {`,
    ],
  ];
  const ways = [
    "createHash('sha256').update(id).digest()",
    'this.#keks.derive(Buffer.from(tenant + ":" + subject))',
    "createHmac('sha384', 'in the code').update(handle).digest().subarray(0, 32)",
  ];
  for (const way of ways) {
    await proven.restart(made(way));
    await proven.breaks('encryption.at-rest', OF_BACKUPS);
  }
});

test('keys that lie with the data are found', async () => {
  await proven.restart();
  const { dataDir, server } = proven;
  const copy = join(dataDir, 'objects', 'copied');
  mkdirSync(copy, { recursive: true });
  cpSync(join(server.keyringDir, 'keyring.sqlite'), join(copy, 'anything'));
  await proven.breaks('keys.apart');
  rmSync(copy, { recursive: true });
  for (const name of readdirSync(server.keyringDir).filter((one) => one.startsWith('root-'))) {
    cpSync(join(server.keyringDir, name), join(dataDir, name));
    await proven.breaks('keys.apart');
    rmSync(join(dataDir, name));
  }
  await proven.keeps('keys.apart', OF_BACKUPS);
});

test('a retired root key that was not destroyed is found', async () => {
  const file = join(proven.server.keyringDir, 'root-0.json');
  writeFileSync(file, JSON.stringify({ epoch: 0, wrap: 'file', key: 'AAAA' }));
  await proven.breaks('keys.rotate');
  rmSync(file);
  await proven.keeps('keys.rotate');
});

test('one that lies in the second folder only, or under another name, is found', async () => {
  const folder = join(proven.server.keyringDir, '..', 'second');
  await proven.restart([], { TROTH_KEYRING_COPY_DIR: folder });
  await proven.keeps('keys.rotate');
  const key = { epoch: 0, wrap: 'file', key: 'AAAA' };
  for (const name of ['root-0.json', 'recovery-0.json', '.root-0.json.draft', 'kept.json']) {
    writeFileSync(join(folder, name), JSON.stringify(key));
    await proven.breaks('keys.rotate');
    rmSync(join(folder, name));
  }
  await proven.keeps('keys.rotate');
});

test('a root key whose retirement does not end is found', async () => {
  // The keeper is a process of its own: the edits are handed on to it.
  await proven.restart([
    [
      'platform/keeper/start.ts',
      "...['--no-warnings', ",
      "...[process.env.NODE_OPTIONS, '--no-warnings', ",
    ],
    [
      'platform/keeper/socket.ts',
      'this.#rotating = !this.#custody.rotation.step();',
      'this.#rotating = false;',
    ],
    ['standing-jobs.ts', 'if (ageDays < rotateAfterDays(policies)) return;', ''],
    [
      'core/keys/commands.ts',
      "keeper.call('rotate', { at: now.getTime() })",
      "keeper.call('rotate', { at: now.getTime() - 2 * DAY_MS })",
    ],
    ['core/keys/commands.ts', 'if (!rotating) break;', 'if (rotating !== undefined) break;'],
  ]);
  await proven.breaks('keys.rotate');
});

test('keys that are older than is published are found', async () => {
  await proven.restart([
    ['standing-jobs.ts', 'if (ageDays < rotateAfterDays(policies)) return;', ''],
    [
      'core/keys/commands.ts',
      "keeper.call('rotate', { at: now.getTime() })",
      "keeper.call('rotate', { at: now.getTime() - 26 * DAY_MS })",
    ],
  ]);
  await proven.breaks('keys.rotate');
});

test('keys that are wrapped once are found', async () => {
  // Nothing may follow, for what the keeper wraps now no other opens.
  await proven.restart([
    [
      'platform/keeper/start.ts',
      "...['--no-warnings', ",
      "...[process.env.NODE_OPTIONS, '--no-warnings', ",
    ],
    [
      'platform/keeper/keks.ts',
      'return this.#kek(tenant, purpose, this.#epoch).seal(key, Buffer.from(aad));',
      'return this.#roots.get(this.#epoch).key.seal(key, Buffer.from(aad));',
    ],
    [
      'platform/keeper/keks.ts',
      'return this.#kek(tenant, purpose, epoch).open(wrapped, Buffer.from(aad));',
      `try { return this.#kek(tenant, purpose, epoch).open(wrapped, Buffer.from(aad)); }
        catch { return this.#roots.get(epoch).key.open(wrapped, Buffer.from(aad)); }`,
    ],
  ]);
  await proven.breaks('keys.two-wraps');
});
