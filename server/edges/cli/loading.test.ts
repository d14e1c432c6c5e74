/** What a command that needs no server may load: a hundred modules more are a tenth of a second. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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
