import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { xaesKey } from './xaes.ts';

const text = (ascii: string) => Buffer.from(ascii, 'latin1');
const NONCE = text('ABCDEFGHIJKLMNOPQRSTUVWX');

test('XAES-256-GCM gives the two published vectors, for either first bit of L', () => {
  const low = xaesKey(Buffer.alloc(32, 1)).sealWithNonce(NONCE, text('XAES-256-GCM'), text(''));
  assert.equal(low.toString('hex'), 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271');
  const aad = text('c2sp.org/XAES-256-GCM');
  const high = xaesKey(Buffer.alloc(32, 3)).sealWithNonce(NONCE, text('XAES-256-GCM'), aad);
  assert.equal(high.toString('hex'), '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d');
});

test('XAES-256-GCM gives the published hash over 10,000 random messages', () => {
  // 32 + 24 + 2 lengths + at most 510 bytes a message.
  const stream = createHash('shake128', { outputLength: 10_000 * 570 }).digest();
  assert.equal(stream.subarray(0, 16).toString('hex'), '7f9c2ba4e88f827d616045507605853e');
  const seen = createHash('shake128', { outputLength: 32 });
  let at = 0;
  const take = (bytes: number) => {
    at += bytes;
    return stream.subarray(at - bytes, at);
  };
  const vector = () => take(take(1)[0] ?? 0);
  for (let message = 0; message < 10_000; message += 1) {
    const key = xaesKey(take(32));
    const nonce = take(24);
    const plaintext = vector();
    const aad = vector();
    const sealed = key.sealWithNonce(nonce, plaintext, aad);
    seen.update(sealed);
    if (message % 100 === 0) {
      assert.deepEqual(key.open(Buffer.concat([nonce, sealed]), aad), Buffer.from(plaintext));
    }
  }
  assert.equal(
    seen.digest('hex'),
    'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939',
  );
});

test('a sealed text opens only whole, unchanged and under its own associated data', () => {
  const key = xaesKey(Buffer.alloc(32, 7));
  const sealed = key.seal(text('a person'), text('tenant|row'));
  assert.equal(key.open(sealed, text('tenant|row')).toString(), 'a person');
  assert.throws(() => key.open(sealed, text('tenant|other')));
  assert.throws(() => key.open(sealed.subarray(0, -1), text('tenant|row')));
  assert.throws(() => key.open(Buffer.alloc(3), text('tenant|row')));
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Buffer.from(sealed);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => key.open(flipped, text('tenant|row')));
  }
});

test('a key of another length is refused', () => {
  assert.throws(() => xaesKey(Buffer.alloc(16)), RangeError);
});
