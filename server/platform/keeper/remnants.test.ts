import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCustody } from './custody.ts';
import { openKeyring } from './keyring.ts';
import { KEYRING_FILE } from './keyring-file.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const PEOPLE = 6_000;
const folder = mkdtempSync(join(tmpdir(), 'keys-left-'));
after(() => rmSync(folder, { recursive: true, force: true }));

// By another process: to open and close the file here would drop the lock that SQLite has on it.
const readingWhole = (dir: string): Buffer =>
  execFileSync('cat', [join(dir, KEYRING_FILE)], { maxBuffer: 64 * 1_048_576 });

test('no page of either copy keeps what it once held of a destroyed key', () => {
  const [dir, copyDir] = [join(folder, 'a'), join(folder, 'b')];
  const keyring = openKeyring({ dir, copyDir, create: true });
  const { perform, rotate, rotation } = openCustody(keyring, { passphrase: undefined, at: NOW });
  const people = Array.from({ length: PEOPLE / 100 }, () => {
    const handles = Array.from({ length: 100 }, () => randomBytes(16).toString('base64'));
    const ask = { tenant: 'clanker', handles, create: true, at: NOW };
    return keyring.commit(() => perform('subjects', ask as never)).answer as OpenedKey[];
  }).flat();
  const destroy = (some: readonly OpenedKey[]) => {
    const wrapped = some.map(({ subject }) => {
      const [row] = keyring.all<{ wrapped: Uint8Array }>(
        'select wrapped from subject_keys where subject = ?',
        Buffer.from(subject, 'hex'),
      );
      return Buffer.from(row?.wrapped ?? []);
    });
    assert.ok(wrapped.every(({ length }) => length > 16));
    keyring.commit(() =>
      some.map(({ subject }) =>
        perform('destroy', { tenant: 'clanker', subject, at: NOW, lateUntil: NOW } as never),
      ),
    );
    for (const place of [dir, copyDir]) {
      const bytes = readingWhole(place);
      assert.equal(wrapped.filter((one) => bytes.includes(one)).length, 0, place);
    }
  };
  for (let from = 0; from < PEOPLE; from += 1_000) {
    if (from === 1_000) rotate(NOW);
    rotation.step();
    destroy(people.slice(from, from + 1_000));
  }
  keyring.close();
});
