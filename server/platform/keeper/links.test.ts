import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { silentLog } from '#platform/log';
import { openKeeper, startKeeper } from './index.ts';
import type { OpenedKey } from './protocol.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const closing: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

type Place = { keys: string; copy: string; run: string };
function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const at = { keys: join(folder, 'a'), copy: join(folder, 'b'), run: join(folder, 'r') };
  mkdirSync(at.run);
  return at;
}

async function started({ keys, copy, run }: Place, { create = true } = {}) {
  const places = { keyringDir: keys, copyDir: copy, runtimeDir: run };
  const child = await startKeeper({ ...places, create, log: silentLog });
  const keeper = openKeeper(child.socketPath);
  const stop = async () => {
    keeper.close();
    await child.stop();
  };
  closing.push(stop);
  return { keeper, stop };
}

const CLAIMED = { as: 'claimed' } as const;
const handle = () => randomBytes(16).toString('base64');

test('erasure follows links to what was identified as the person, and no further', async () => {
  const { keeper } = await started(place());
  const [phone, tablet, ada, bob] = [handle(), handle(), handle(), handle()] as const;
  const link = (from: string, to: string) =>
    keeper.call('link', { tenant: 'clanker', from, to, at: NOW });
  await link(phone, tablet);
  await link(tablet, ada);
  await link(tablet, bob);
  const all = { tenant: 'clanker', handles: [phone, tablet, ada, bob], create: false, at: NOW };
  const [a, b, c] = (await keeper.call('subjects', all)) as OpenedKey[];
  const subject = c?.subject ?? '';
  await keeper.call('destroy', { tenant: 'clanker', subject, at: NOW, lateUntil: NOW + DAY });
  const left = await keeper.call('subjects', all);
  assert.deepEqual(left.slice(0, 3), ['erased', 'erased', 'erased']);
  assert.equal(typeof left[3], 'object', 'another person who used the tablet keeps their key');
  assert.ok(a && b);
});

test('two names of one person go together, whichever is named; not where one name is of two', async () => {
  const { keeper } = await started(place());
  const [maiden, married, shared, one, two] = [handle(), handle(), handle(), handle(), handle()];
  const same = (from: string, to: string) =>
    keeper.call('link', { tenant: 'clanker', from, to, at: NOW, as: 'same' });
  await same(maiden, married);
  for (const person of [one, two]) await same(shared, person);
  const idOf = async (one: string) => {
    const ask = { tenant: 'clanker', handles: [one], create: false, at: NOW };
    const [found] = (await keeper.call('subjects', ask)) as OpenedKey[];
    return found?.subject ?? '';
  };
  const taken = async (one: string) =>
    new Set(await keeper.call('linked', { tenant: 'clanker', subject: await idOf(one) }));
  const both = new Set([await idOf(maiden), await idOf(married)]);
  assert.deepEqual([await taken(maiden), await taken(married)], [both, both]);
  assert.deepEqual(await taken(shared), new Set([await idOf(shared)]));
  assert.deepEqual(await taken(one), new Set([await idOf(one), await idOf(shared)]));
});

test('a claim links only what is nobody else’s, and vouches for nothing until somebody stands behind it', async () => {
  const { keeper } = await started(place());
  const [phone, ada, bob] = [handle(), handle(), handle()] as const;
  const link = (from: string, to: string, claimed: boolean) =>
    keeper.call('link', { tenant: 'clanker', from, to, at: NOW, ...(claimed && CLAIMED) });
  const vouched = (from: string, to: string) =>
    keeper.call('vouched', { tenant: 'clanker', from, to });
  assert.deepEqual(await link(phone, ada, true), { linked: true });
  assert.deepEqual(await link(phone, ada, true), { linked: true }, 'again');
  assert.deepEqual(await link(phone, bob, true), { linked: false, taken: true });
  assert.equal(await vouched(phone, ada), false);
  assert.deepEqual(await link(phone, ada, false), { linked: true });
  assert.deepEqual(await link(phone, ada, true), { linked: true });
  assert.equal(await vouched(phone, ada), true, 'a claim takes nothing away');
  assert.equal(await vouched(ada, phone), false);
  assert.deepEqual(await link(phone, bob, false), { linked: true }, 'two who share a phone');
});

test('strangers’ claims cannot crowd a person’s own device out of an erasure', async () => {
  const { keeper } = await started(place());
  const [own, ada] = [handle(), handle()] as const;
  const link = (from: string, claimed: boolean) =>
    keeper.call('link', { tenant: 'clanker', from, to: ada, at: NOW, ...(claimed && CLAIMED) });
  const answers = await Promise.all(Array.from({ length: 600 }, () => link(handle(), true)));
  assert.equal(answers.filter(({ taken }) => taken).length, 100);
  await link(own, false);
  const ask = { tenant: 'clanker', handles: [own, ada], create: false, at: NOW };
  const [, person] = (await keeper.call('subjects', ask)) as OpenedKey[];
  const subject = person?.subject ?? '';
  await keeper.call('destroy', { tenant: 'clanker', subject, at: NOW, lateUntil: NOW + DAY });
  assert.deepEqual(await keeper.call('subjects', ask), ['erased', 'erased']);
});

test('a keyring from before links said who stands behind them is taken along, with its copy', async () => {
  const at = place();
  const first = await started(at);
  const [phone, ada] = [handle(), handle()];
  const pair = { tenant: 'clanker', from: phone, to: ada };
  await first.keeper.call('link', { ...pair, at: NOW });
  await first.stop();
  for (const dir of [at.keys, at.copy]) {
    const db = new DatabaseSync(join(dir, 'keyring.sqlite'));
    db.exec('alter table links drop column vouched');
    db.close();
  }
  const second = await started(at, { create: false });
  assert.equal(await second.keeper.call('vouched', pair), false);
  await second.keeper.call('link', { ...pair, at: NOW });
  assert.equal(await second.keeper.call('vouched', pair), true);
  assert.equal((await second.keeper.call('status', { at: NOW })).copies, 2);
});
