/**
 * The keeper: new keys under group commit, opens, re-wraps; and what a server does with open keys:
 * sealing, opening, pseudonyms. Two copies, both durable.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../server/base/clock.ts';
import { TenantId } from '../server/base/ids.ts';
import { type Handle, openKeys } from '../server/core/keys/index.ts';
import { type Keeper, openKeeper, startKeeper } from '../server/platform/keeper/index.ts';
import { silentLog } from '../server/platform/log/index.ts';
import { figure } from './rig.ts';

const tenant = TenantId('bench');
const at = Date.now();
const REWRAP_AIM = { aim: { value: 22_000 } };
const handle = () => randomBytes(16).toString('base64');
const handles = (length: number) => Array.from({ length }, handle);

async function rate(
  name: string,
  count: number,
  work: () => Promise<unknown> | unknown,
  more: object = {},
): Promise<void> {
  const began = performance.now();
  await work();
  const value = count / ((performance.now() - began) / 1_000);
  figure({ name, value, unit: 'per s', ...more });
}

async function newKeys(keeper: Keeper): Promise<string[]> {
  const create = (wanted: string[]) =>
    keeper.call('subjects', { tenant, handles: wanted, create: true, at });
  await create(handles(1));
  await rate('keeper: new keys, one caller', 300, async () => {
    for (let key = 0; key < 300; key += 1) await create(handles(1));
  });
  await rate('keeper: new keys, 64 callers of one key', 12_800, () =>
    Promise.all(
      handles(64).map(async () => {
        for (let call = 0; call < 200; call += 1) await create(handles(1));
      }),
    ),
  );
  const made: string[] = [];
  await rate('keeper: new keys, 100 a call', 40_000, async () => {
    for (let call = 0; call < 400; call += 1) {
      const answers = await create(handles(100));
      for (const found of answers) if (typeof found === 'object') made.push(found.subject);
    }
  });
  return made;
}

async function opensAndRewraps(keeper: Keeper, made: readonly string[]): Promise<number> {
  await rate('keeper: opens, 100 a call', made.length, async () => {
    for (let from = 0; from < made.length; from += 100) {
      await keeper.call('open', { tenant, subjects: made.slice(from, from + 100), at });
    }
  });
  const { keysLeft } = await keeper.call('rotate', { at });
  const rewrapAll = async () => {
    while ((await keeper.call('status', { at })).rotating) await sleep(20);
  };
  await rate('keeper: re-wraps, while serving', keysLeft, rewrapAll, REWRAP_AIM);
  return keysLeft;
}

/** What costs nothing but CPU: the keys are open, in the memory of the server. */
async function openKeysWork(keeper: Keeper): Promise<void> {
  const keys = openKeys({ keeper, clock: systemClock });
  await keys.prepare(tenant);
  const people = Array.from(
    { length: 1_000 },
    (_, n): Handle => ({ kind: 'user', value: `p${n}` }),
  );
  await keys.subjects(tenant, people, { create: true });
  const some = people[7] as Handle;
  const key = keys.cached(tenant, some);
  if (!key) throw new Error('the key is not open');
  const text = Buffer.alloc(200, 'x');
  const place = { tenant, table: 't', row: '0011223344556677', subject: key.subject, revision: 1 };
  const frame = keys.seal(key, text, place);
  const loop = (name: string, count: number, work: () => unknown) =>
    rate(name, count, () => {
      for (let turn = 0; turn < count; turn += 1) work();
    });
  await loop('server: look-ups of an open key', 1_000_000, () => keys.cached(tenant, some));
  await loop('server: seals of 200 bytes', 200_000, () => keys.seal(key, text, place));
  await loop('server: opens of 200 bytes', 200_000, () => keys.open(key, frame, place));
  const message = '7f0d4c1e-1d8c-4f39-9e63-3a1b6f0d9c21';
  await loop('server: pseudonyms', 200_000, () => keys.hash(tenant, 'message', message));
  keys.close();
}

export async function benchKeeper(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'troth-keeper-'));
  const [keyringDir, copyDir] = [join(folder, 'a'), join(folder, 'b')];
  mkdirSync(keyringDir);
  const child = await startKeeper({
    keyringDir,
    copyDir,
    runtimeDir: folder,
    create: true,
    log: silentLog,
  });
  try {
    const keeper = openKeeper(child.socketPath, { deadlineMs: 60_000 });
    const made = await newKeys(keeper);
    const count = await opensAndRewraps(keeper, made);
    const bytes = statSync(join(keyringDir, 'keyring.sqlite')).size / count;
    figure({ name: 'keeper: bytes of a key in one copy', value: bytes, unit: 'B' });
    await openKeysWork(keeper);
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
