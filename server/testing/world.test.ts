import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startRunning } from './running.ts';

const folder = mkdtempSync(join(tmpdir(), 'troth-world-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a test file whose world opens as told. It is given up after a minute. */
async function runFile(name: string, options: string): Promise<{ code: number; said: string }> {
  const file = join(folder, name);
  writeFileSync(
    file,
    `import { test } from 'node:test';
     import { useWorld } from '${join(import.meta.dirname, 'world.ts')}';
     useWorld(${options});
     test('nothing', () => undefined);`,
  );
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  const child = spawn(process.execPath, ['--no-warnings', file], { env, timeout: 60_000 });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, said };
}

test('a world that cannot be opened ends its test file at once, with the reason', async () => {
  const refused = await runFile('refused.mjs', "{ policies: [() => 'not: a policy'] }");
  assert.equal(refused.code, 1, refused.said);
  assert.match(refused.said, /policy-has-errors/);
  const failing = '{ setUp: async () => { throw new Error("the set-up failed"); } }';
  const failed = await runFile('failed.mjs', failing);
  assert.equal(failed.code, 1, failed.said);
  assert.match(failed.said, /the set-up failed/);
});

test('a server that refuses to start ends with its sentence, and leaves nothing', async () => {
  const env = { TROTH_HTTP_PORT: 'nonsense' };
  await assert.rejects(startRunning({ env }), /TROTH_HTTP_PORT/);
});
