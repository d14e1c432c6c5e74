import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openDataDirectory } from '#platform/runtime';
import { matcherOf } from './matcher.ts';
import { openByteScan } from './scan.ts';

const folder = mkdtempSync(join(tmpdir(), 'bytes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, bytes: Uint8Array) => {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};

function everywhere(piece: Buffer, pattern: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + pattern.length <= piece.length; at++) {
    if (pattern.equals(piece.subarray(at, at + pattern.length))) found.push(at);
  }
  return found;
}

test('each occurrence of each pattern is found, and nothing else', () => {
  // Three values only, so that patterns overlap, repeat and share their heads.
  const bytes = (min: number, max: number) =>
    fc
      .array(fc.constantFrom(0, 1, 255), { minLength: min, maxLength: max })
      .map((list) => Buffer.from(list));
  fc.assert(
    fc.property(
      fc.array(bytes(6, 20), { minLength: 1, maxLength: 12 }),
      bytes(0, 300),
      (patterns, piece) => {
        const found = patterns.map(() => [] as number[]);
        matcherOf(patterns).find(piece, ({ pattern, at }) => void found[pattern]?.push(at));
        for (const [index, pattern] of patterns.entries()) {
          assert.deepEqual(
            found[index]?.sort((a, b) => a - b),
            everywhere(piece, pattern),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a pattern that chance would find is refused, and so is a search for nothing', () => {
  assert.throws(() => matcherOf([]), RangeError);
  assert.throws(() => matcherOf([Buffer.from('short')]), RangeError);
});

test('a pattern across the seam of two pieces is found once', async () => {
  const patterns = Array.from({ length: 40 }, () => randomBytes(16));
  const seam = 1024 * 1024;
  for (const shift of [-16, -15, -8, -1, 0, 1]) {
    const content = randomBytes(3 * seam);
    patterns[7]?.copy(content, seam + shift);
    patterns[9]?.copy(content, 2 * seam + shift);
    put('seam/file', content);
    const { stores } = await openByteScan({ roots: { seam: [join(folder, 'seam')] } }).scan(
      patterns,
    );
    const [{ counts, bytes, hits } = assert.fail()] = stores;
    assert.equal(bytes, 3 * seam);
    assert.deepEqual([counts[7], counts[9], hits.length], [1, 1, 2], `shift ${shift}`);
  }
});

test('what lies in no searched place is told apart from what holds nothing', async () => {
  const marker = randomBytes(16);
  put('here/a/b/c', Buffer.concat([randomBytes(100), marker]));
  put('there/x', randomBytes(100));
  const scan = openByteScan({
    roots: {
      here: [join(folder, 'here')],
      there: [join(folder, 'there')],
      file: [join(folder, 'here', 'a', 'b', 'c')],
      nowhere: [join(folder, 'no-such-place')],
    },
  });
  const { stores } = await scan.scan([marker]);
  const seen = stores.map(({ store, files, missing, counts }) => [
    store,
    files,
    missing,
    ...counts,
  ]);
  assert.deepEqual(seen, [
    ['here', 1, false, 1],
    ['there', 1, false, 0],
    ['file', 1, false, 1],
    ['nowhere', 0, true, 0],
  ]);
});

test('a second pass reads only what has changed since the first', async () => {
  const marker = randomBytes(16);
  put('grow/old', randomBytes(5_000));
  const scan = openByteScan({ roots: { grow: [join(folder, 'grow')] } });
  const { mark } = await scan.scan([marker]);
  put('grow/new', marker);
  const { stores } = await scan.scan([marker], { since: mark });
  const [{ files, unchanged, counts } = assert.fail()] = stores;
  assert.deepEqual([files, unchanged, counts[0]], [1, 1, 1]);
});

test('a search that is called off ends with the reason', async () => {
  put('slow/file', randomBytes(4 * 1024 * 1024));
  const scan = openByteScan({ roots: { slow: [join(folder, 'slow')] } });
  const reason = new Error('enough');
  await assert.rejects(scan.scan([randomBytes(8)], { signal: AbortSignal.abort(reason) }), reason);
});

test('a search of the data directory lets go of no lock that this process holds on it', async () => {
  const given = { dataDir: join(folder, 'mine'), keyringDir: join(folder, 'keys') };
  const held = openDataDirectory(given);
  try {
    const { stores } = await openByteScan({ roots: { data: [given.dataDir] } }).scan([
      randomBytes(16),
    ]);
    assert.ok((stores[0]?.files ?? 0) > 0);
    const door = join(import.meta.dirname, '..', 'runtime', 'index.ts');
    const script = `const { openDataDirectory } = await import('${door}');
      openDataDirectory(${JSON.stringify(given)});`;
    const args = ['--no-warnings', '--input-type=module', '-e', script];
    const other = spawnSync(process.execPath, args, { cwd: import.meta.dirname });
    assert.match(String(other.stderr), /data-directory-in-use/);
  } finally {
    held.release();
  }
});
