import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyIdOf } from '#base/ed25519';
import { parseVkey } from '#base/signed-note';
import { startRunning } from '#testing/running';

test('the public key is served and lies in the data directory', async () => {
  const server = await startRunning();
  try {
    const answer = await fetch(`${server.url}/.well-known/troth-keys.json`);
    assert.equal(answer.headers.get('content-type'), 'application/jwk-set+json');
    const { keys } = (await answer.json()) as { keys: { x: string; kid: string }[] };
    assert.equal(keys.length, 1);
    const vkey = parseVkey(readFileSync(join(server.dataDir, 'troth.pub'), 'utf8'));
    assert.ok(vkey);
    assert.equal(Buffer.from(vkey.publicKey).toString('base64url'), keys[0]?.x);
    assert.equal(keyIdOf(vkey.publicKey), keys[0]?.kid);
    assert.match(vkey.name, /^troth\/[0-9a-f-]{36}$/);
  } finally {
    await server.stop();
  }
});
