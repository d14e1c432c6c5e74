import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { joinShares, splitSecret } from './secret-shares.ts';

test('any three of five shares give the secret back, and two do not', () => {
  const secret = randomBytes(32);
  const shares = splitSecret(secret, 5, 3);
  for (let a = 0; a < 5; a += 1) {
    for (let b = a + 1; b < 5; b += 1) {
      const two = [shares[a]!, shares[b]!];
      assert.notDeepEqual(joinShares(two), secret);
      for (let c = b + 1; c < 5; c += 1) {
        assert.deepEqual(joinShares([...two, shares[c]!]), secret);
      }
    }
  }
});

test('shares that do not belong together are refused', () => {
  const [first] = splitSecret(randomBytes(32), 3, 2);
  assert.throws(() => joinShares([first!, first!]), RangeError);
  assert.throws(() => joinShares([first!, { at: 2, bytes: Buffer.alloc(3) }]), RangeError);
  assert.throws(() => splitSecret(randomBytes(32), 3, 1), RangeError);
});
