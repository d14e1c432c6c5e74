import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { KeyId, SubjectId, TenantId } from '#base/ids';
import {
  checkEndToEnd,
  FIELD_OVERHEAD_BYTES,
  type OpenKey,
  openField,
  type SealPlace,
  sealField,
  VaultKey,
} from '#core/keys';
import { authorize } from '#core/policy';

const key = (): OpenKey => ({ key: createSecretKey(randomBytes(32)), keyId: randomBytes(8) });
const place = (more: Partial<SealPlace> = {}): SealPlace => ({
  tenant: TenantId('clanker'),
  table: 'agent_commands',
  row: '00ff',
  subject: SubjectId('a'.repeat(32)),
  revision: 3,
  ...more,
});
const elsewhere: Partial<SealPlace>[] = [
  { tenant: TenantId('magenta') },
  { table: 'api_logs' },
  { column: 'sealed2' },
  { row: '00fe' },
  { subject: SubjectId('b'.repeat(32)) },
  { subject: undefined },
  { revision: 4 },
];
const invalid = { code: 'sealed-text-invalid' };
const text = Buffer.from('{"email":"ada@example.org"}');

test('a sealed field opens in its own place and in no other', () => {
  const mine = key();
  const frame = sealField(mine, text, place());
  assert.equal(frame.length, text.length + FIELD_OVERHEAD_BYTES);
  assert.deepEqual(openField(mine, frame, place()), text);
  for (const moved of elsewhere) {
    assert.throws(() => openField(mine, frame, place(moved)), invalid, JSON.stringify(moved));
  }
});

test('a place cannot be spelt in two ways', () => {
  const mine = key();
  const frame = sealField(mine, text, place({ row: 'a|b', column: 'c' }));
  assert.throws(() => openField(mine, frame, place({ row: 'b', column: 'c|a' })), invalid);
});

test('no flipped bit, cut or lengthened frame opens', () => {
  const mine = key();
  const frame = sealField(mine, text, place());
  for (let bit = 0; bit < frame.length * 8; bit += 1) {
    const flipped = Buffer.from(frame);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => openField(mine, flipped, place()), invalid);
  }
  for (const cut of [0, 1, 20, frame.length - 1]) {
    assert.throws(() => openField(mine, frame.subarray(0, cut), place()), invalid);
  }
  assert.throws(() => openField(mine, Buffer.concat([frame, Buffer.of(0)]), place()), invalid);
});

test('another key does not open a field, not even under the same id', () => {
  const mine = key();
  const frame = sealField(mine, text, place());
  assert.throws(() => openField(key(), frame, place()), invalid);
  assert.throws(() => openField({ ...key(), keyId: mine.keyId }, frame, place()), invalid);
});

test('no nonce is used twice in 100,000 seals, and nothing sealed looks like another', () => {
  const mine = key();
  const nonces = new Set<string>();
  for (let seal = 0; seal < 100_000; seal += 1) {
    nonces.add(sealField(mine, Buffer.alloc(1), place()).toString('latin1', 9, 21));
  }
  assert.equal(nonces.size, 100_000);
});

test('AES-256-GCM under this Node gives the NIST vectors', async () => {
  const { createCipheriv } = await import('node:crypto');
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 14 and 16.
  const run = (given: { key: string; nonce: string; text: string; aad: string }) => {
    const bytes = (hex: string) => Buffer.from(hex, 'hex');
    const gcm = createCipheriv('aes-256-gcm', bytes(given.key), bytes(given.nonce));
    gcm.setAAD(bytes(given.aad));
    const ciphertext = Buffer.concat([gcm.update(bytes(given.text)), gcm.final()]);
    return [ciphertext.toString('hex'), gcm.getAuthTag().toString('hex')];
  };
  const zeros = { key: '00'.repeat(32), nonce: '00'.repeat(12), text: '00'.repeat(16), aad: '' };
  assert.deepEqual(run(zeros), [
    'cea7403d4d606b6e074ec5d3baf39d18',
    'd0d1c8a799996bf0265b98b5d48ab919',
  ]);
  const sixteen = {
    key: 'feffe9928665731c6d6a8f9467308308'.repeat(2),
    nonce: 'cafebabefacedbaddecaf888',
    text:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  };
  assert.equal(run(sixteen)[1], '76fc6ece0f4e1768cddf8853bb2d551b');
});

test('a secret of the vault opens with a permit of its tenant, in its place, and not otherwise', () => {
  const vault = new VaultKey(randomBytes(32), randomBytes(8));
  const frame = vault.seal(text, place());
  const system = { kind: 'system', id: KeyId('vaultTest') } as const;
  const permit = authorize({ tenant: TenantId('clanker'), revision: 3 }, system, 'vault.open');
  assert.deepEqual(vault.open(permit, frame, place()), text);
  for (const moved of elsewhere) {
    assert.throws(() => vault.open(permit, frame, place(moved)), invalid);
  }
  const foreign = authorize({ tenant: TenantId('magenta'), revision: 3 }, system, 'vault.open');
  assert.throws(() => vault.open(foreign, frame, place()), invalid);
  const other = new VaultKey(randomBytes(32), randomBytes(8));
  assert.throws(() => other.open(permit, frame, place()), invalid);
  assert.throws(() => openField(key(), frame, place()), invalid, 'a field key opens no secret');
  const flipped = Buffer.from(frame);
  flipped[12] = (flipped[12] ?? 0) ^ 1;
  assert.throws(() => vault.open(permit, flipped, place()), invalid, 'the commitment is checked');
  const caller = { kind: 'operator', id: KeyId('nosyPerson') } as const;
  assert.throws(
    () => authorize({ tenant: TenantId('clanker'), revision: 3 }, caller, 'vault.open'),
    { code: 'forbidden' },
  );
});

test('a field of the end-to-end class passes when a client sealed it, and never in clear', () => {
  const header = Buffer.from('{"alg":"ECDH-ES","enc":"A256GCM"}').toString('base64url');
  const jwe = `${header}..bm9uY2U.Y2lwaGVy.dGFn`;
  assert.equal(checkEndToEnd(jwe), jwe);
  const none = Buffer.from('{"alg":"none","enc":"A256GCM"}').toString('base64url');
  const clear = ['ada@example.org', 'a.b.c.d.e', '', null, {}, `${header}.a.b.c`, `${header}....`];
  for (const value of [...clear, `${none}..bm9uY2U.Y2lwaGVy.dGFn`]) {
    assert.throws(() => checkEndToEnd(value), { code: 'end-to-end-in-clear' });
  }
});
