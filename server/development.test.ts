import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningOf } from './development.ts';

test('a start that warns of keys says in each case what to type', () => {
  const copies = ['one copy of the keyring only', 'both copies are on one disk', 'out of reach'];
  for (const gap of copies) {
    const lines = warningOf({ durabilityGaps: [gap], recovery: true });
    assert.match(lines.at(-1) ?? '', /TROTH_KEYRING_COPY_DIR=/, gap);
  }
  const noKit = warningOf({ durabilityGaps: ['no recovery kit was made'], recovery: false });
  assert.match(noKit.join('\n'), /recovery-kit --out/);
  assert.doesNotMatch(noKit.join('\n'), /COPY_DIR/);
  assert.deepEqual(warningOf({ durabilityGaps: [], recovery: true }), []);
});
