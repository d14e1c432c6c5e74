/** The program as a whole: what it loads, and that what it says arrives. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const LISTING = `data:text/javascript,
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  process.on('exit', () => process.stderr.write(loaded.join('\\n')));`;

test('a lint loads the language and the command line, and no part of the server', () => {
  const args = ['--import', LISTING, 'server/main.ts', 'lint', 'policies/loopkit.yaml'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  assert.equal(status, 0);
  const loaded = stderr.split('\n');
  assert.ok(loaded.some((url) => url.endsWith('/policy-language/lint/index.ts')));
  const server = /\/server\/(?:platform|core|domains|oversight|edges\/http)\//;
  assert.deepEqual(
    loaded.filter((url) => server.test(url)),
    [],
  );
});

test('a long answer arrives whole, however slowly it is read, and a reader may leave', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troth-program-'));
  try {
    const file = join(folder, 'strange.yaml');
    const keys = Array.from({ length: 50 }, (_, index) => `${'k'.repeat(4_000)}${index}: 1`);
    writeFileSync(file, keys.join('\n'));
    const into = (reader: string) => {
      const line = `{ "$0" --no-warnings server/main.ts lint --json "$1"; echo $? >&2; } | ${reader}`;
      return spawnSync('sh', ['-c', line, process.execPath, file], { cwd: ROOT, encoding: 'utf8' });
    };
    const slow = into('{ sleep 1; cat; }');
    assert.ok(slow.stdout.length > 2 * 65_536, `${slow.stdout.length} characters`);
    assert.ok(JSON.parse(slow.stdout).open > 0);
    assert.equal(into('true').stderr, '1\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
