import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyIdOf } from '#base/ed25519';
import { auditHealth, openTenantLog, readAudit } from '#core/audit';
import { until } from '#testing/faults';
import { act, idsIn, logsPlace, sequencing, settled } from '#testing/sequencing';
import type { SequencingOrder } from '#testing/sequencing-process';
import { useWorld } from '#testing/world';

const world = useWorld();
const KILLS = 20;

const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
const key = createPrivateKey(pem);
const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
const place = {
  ...logsPlace(),
  signer: {
    publicKey,
    keyId: keyIdOf(publicKey),
    sign: async (bytes: Uint8Array) => sign(null, bytes, key),
  },
};
after(() => place.remove());

async function started() {
  const { auditDir, copyDir, instance } = place;
  const url = world.postgresUrl;
  const order: SequencingOrder = { url, key: String(pem), auditDir, copyDir, instance };
  const file = join(import.meta.dirname, '..', '..', 'testing', 'sequencing-process.ts');
  const child = spawn(process.execPath, ['--no-warnings', file, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const sizeNow = () => openTenantLog(place.auditDir, world.tenant)?.size ?? 0;

test('killed 20 times while it works, it loses no entry, doubles none and signs no tile too early', async () => {
  let writing = true;
  const ids: string[] = [];
  const writers = [1, 6, 20].map(async (count) => {
    while (writing) {
      ids.push(...(await act(world, count)));
      await sleep(25);
    }
  });
  let size = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = await started();
    await until('it is at work', 10_000, () => sizeNow() > size);
    await sleep((kill * 37) % 100);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Throws unless every tile that the checkpoint speaks of is there and right.
    size = (await idsIn(place, world.tenant)).length;
  }
  writing = false;
  await Promise.all(writers);
  const last = await sequencing(world, place);
  await settled(world, 20_000);
  await last.stop();
  const found = await idsIn(place, world.tenant);
  assert.equal(found.length, new Set(found).size, 'an entry is there twice');
  assert.ok(ids.length > 1_000, `only ${ids.length} were written`);
  const places = new Set(found);
  assert.deepEqual(
    ids.filter((id) => !places.has(id)),
    [],
    'an entry is not there',
  );
  assert.deepEqual(await auditHealth(world.db), { failures: [], waiting: 0 });
  const [first] = await readAudit(world.db, { tenant: world.tenant, limit: 1 });
  assert.ok(first && places.has(first.id));
});
