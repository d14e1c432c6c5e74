import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { verifySignature } from '#base/ed25519';
import { openCustody } from './custody.ts';
import { printKit, restoreKeyring } from './index.ts';
import { openKeyring } from './keyring.ts';
import type { Answer, Ask, Call } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'signing-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const [dir, copyDir] = [join(folder, 'a'), join(folder, 'b')];
const name = 'instance';

function opened(at: { dir: string; copyDir?: string }, create = false) {
  const keyring = openKeyring({ ...at, create });
  const custody = openCustody(keyring, { passphrase: undefined, at: NOW });
  const call = <C extends Call>(which: C, ask: Ask<C>) =>
    keyring.commit(() => custody.perform(which, ask as never)).answer as Answer<C>;
  return { keyring, custody, call, publicKey: () => call('publicKey', { name }).publicKey };
}

test('the key that signs is the same after a restart, a rotation and a recovery', () => {
  const first = opened({ dir, copyDir }, true);
  const publicKey = first.publicKey();
  const secret = Buffer.from(first.custody.makeRecovery().secret, 'base64');
  assert.equal(first.publicKey(), publicKey);
  first.keyring.close();

  const second = opened({ dir, copyDir });
  assert.equal(second.publicKey(), publicKey);
  second.custody.rotate(NOW);
  while (!second.custody.rotation.step());
  assert.equal(second.custody.identity().epoch, 2);
  assert.equal(second.publicKey(), publicKey);
  assert.equal(second.custody.status(0).tenants, 0, 'the installation itself is no tenant');
  second.keyring.close();

  const to = join(folder, 'restored');
  const { keysOpened } = restoreKeyring({ from: copyDir, to, kit: printKit(secret) });
  assert.equal(keysOpened, 1);
  const third = opened({ dir: to });
  const bytes = Buffer.from('a text');
  const signed = third.call('sign', { name, bytes: bytes.toString('base64') });
  assert.equal(signed.publicKey, publicKey);
  const [key, signature] = [signed.publicKey, signed.signature].map((text) =>
    Buffer.from(text, 'base64'),
  );
  assert.ok(key && signature && verifySignature(key, bytes, signature));
  assert.ok(!verifySignature(key, Buffer.from('another'), signature));
  third.keyring.close();
});

test('no call hands out the private key, and it lies in no file in clear', () => {
  const { keyring, call, publicKey } = opened({ dir, copyDir });
  const key = { tenant: '@instance', name, class: 'signing' as never, at: NOW };
  const refused = { code: 'keyring-call-invalid' };
  assert.throws(() => call('named', { keys: [key] }), refused);
  assert.throws(() => call('namedVersion', { ...key, keyId: '' }), refused);
  assert.throws(() => call('destroyNamed', key), refused);
  for (const hostile of ['', '../x', 'A', 'a'.repeat(99), 7 as never]) {
    assert.throws(() => call('sign', { name: hostile, bytes: '' }), refused);
  }
  const signedUnder = publicKey();
  const lines = [...Object.values(call('sign', { name, bytes: '' }))];
  keyring.close();
  const stored = readdirSync(dir).map((file) => readFileSync(join(dir, file)));
  const all = Buffer.concat([...stored, ...lines.map((line) => Buffer.from(line, 'base64'))]);
  const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
  const known = Buffer.from(signedUnder, 'base64');
  for (let at = 0; at + 32 <= all.length; at += 1) {
    const seed = all.subarray(at, at + 32);
    // Cheap first look: random bytes have many values; text and zeroes do not.
    if (new Set(seed).size < 24) continue;
    const made = createPrivateKey({
      key: Buffer.concat([pkcs8, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const der = createPublicKey(made).export({ format: 'der', type: 'spki' });
    assert.ok(!der.subarray(-32).equals(known), `the private key lies at byte ${at}`);
  }
});
