/**
 * The keeper: new keys under group commit, opens, re-wraps; and what a server does with open keys:
 * sealing, opening, pseudonyms. Two copies, both durable. Runs for about fifteen seconds.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../server/base/clock.ts';
import { TenantId } from '../server/base/ids.ts';
import { type Handle, openKeys } from '../server/core/keys/index.ts';
import { openKeeper, startKeeper } from '../server/platform/keeper/index.ts';
import { silentLog } from '../server/platform/log/index.ts';

const tenant = TenantId('bench');
const folder = mkdtempSync(join(tmpdir(), 'troth-keeper-'));
const at = Date.now();
const figures: Record<string, number> = {};
const handle = () => randomBytes(16).toString('base64');

async function perSecond(name: string, count: number, work: () => Promise<unknown> | unknown) {
  const began = performance.now();
  await work();
  figures[name] = Math.round(count / ((performance.now() - began) / 1_000));
}

const [keyringDir, copyDir] = [join(folder, 'a'), join(folder, 'b')];
mkdirSync(keyringDir);
const child = await startKeeper({
  ...{ keyringDir, copyDir, runtimeDir: folder, create: true, log: silentLog },
});
const keeper = openKeeper(child.socketPath, { deadlineMs: 60_000 });
const create = (handles: string[]) =>
  keeper.call('subjects', { tenant, handles, create: true, at });
await create([handle()]);

await perSecond('new keys/s, one at a time', 300, async () => {
  for (let key = 0; key < 300; key += 1) await create([handle()]);
});
await perSecond('new keys/s, 64 callers of one key', 12_800, () =>
  Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let call = 0; call < 200; call += 1) await create([handle()]);
    }),
  ),
);
const made: string[] = [];
await perSecond('new keys/s, 100 a call', 20_000, async () => {
  for (let call = 0; call < 200; call += 1) {
    const answers = await create(Array.from({ length: 100 }, handle));
    for (const found of answers) if (typeof found === 'object') made.push(found.subject);
  }
});
await perSecond('opens/s, 100 a call', 20_000, async () => {
  for (let from = 0; from < made.length; from += 100) {
    await keeper.call('open', { tenant, subjects: made.slice(from, from + 100), at });
  }
});
const { keysLeft } = await keeper.call('rotate', { at });
await perSecond('re-wraps/s, while serving', keysLeft, async () => {
  while ((await keeper.call('status', { at })).rotating) await sleep(20);
});
figures['bytes a key in one copy'] = Math.round(
  statSync(join(keyringDir, 'keyring.sqlite')).size / keysLeft,
);

const keys = openKeys({ keeper, clock: systemClock });
await keys.prepare(tenant);
const people = Array.from({ length: 1_000 }, (_, n): Handle => ({ kind: 'user', value: `p${n}` }));
await keys.subjects(tenant, people, { create: true });
const some = people[7] as Handle;
const key = keys.cached(tenant, some);
if (!key) throw new Error('the key is not open');
const text = Buffer.alloc(200, 'x');
const place = { tenant, table: 't', row: '0011223344556677', subject: key.subject, revision: 1 };
const loop = (count: number, work: () => unknown) => () => {
  for (let turn = 0; turn < count; turn += 1) work();
};
await perSecond(
  'cached look-ups/s',
  1_000_000,
  loop(1_000_000, () => keys.cached(tenant, some)),
);
await perSecond(
  'seals/s of 200 bytes',
  200_000,
  loop(200_000, () => keys.seal(key, text, place)),
);
const frame = keys.seal(key, text, place);
await perSecond(
  'field opens/s',
  200_000,
  loop(200_000, () => keys.open(key, frame, place)),
);
const message = '7f0d4c1e-1d8c-4f39-9e63-3a1b6f0d9c21';
await perSecond(
  'pseudonyms/s',
  200_000,
  loop(200_000, () => keys.hash(tenant, 'message', message)),
);

process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
keys.close();
await child.stop();
rmSync(folder, { recursive: true, force: true });
