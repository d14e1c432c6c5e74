import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { leafHash, openFrontier, verifyConsistency, verifyInclusion } from '#base/merkle';
import { openCheckpoint, signCheckpoint } from '#base/signed-note';
import { editLog, pickOf } from '#testing/log-edits';
import { testSigner } from '#testing/signer';
import {
  appendEntries,
  type CheckedLog,
  checkLog,
  cutBodies,
  isAsLeft,
  type LogPlace,
  logOf,
  newLog,
  openLogReader,
  parseTilePath,
  readTile,
  removeStrays,
  tilePath,
  widthIn,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tiles-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const signer = testSigner();
const { publicKey } = signer;
const origin = 'troth/test/clanker';

let logs = 0;
function newPlace(): LogPlace {
  logs += 1;
  const dir = join(folder, String(logs));
  return { dir, copy: { dir: join(folder, 'copies'), name: String(logs) }, signer };
}
const copyOf = ({ copy }: LogPlace) => readFileSync(join(copy.dir, copy.name), 'utf8');
const entry = (index: number) => Buffer.from(`{"entry":${index},"of":"${'x'.repeat(index % 40)}"}`);
const entries = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => entry(from + at));
const rootAt = (size: number) => {
  const frontier = openFrontier();
  for (let index = 0; index < size; index += 1) frontier.push(leafHash(entry(index)));
  return frontier.root();
};

async function written(sizes: readonly number[], place = newPlace()) {
  let log = newLog(origin);
  for (const size of sizes) log = await appendEntries(place, log, entries(log.edge.size, size));
  return { place, log };
}
const check = (place: LogPlace, since: string[] = [copyOf(place)]) =>
  checkLog(place.dir, { origin, publicKey, since });
async function sound(place: LogPlace): Promise<CheckedLog> {
  const found = await check(place);
  assert.ok(found !== 'empty' && !('fault' in found), JSON.stringify(found));
  return found;
}

test('the paths are those of the specification', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 'entries', index: 0, width: 7 }), 'tile/entries/000.p/7');
  for (const path of ['tile/63/x001/000', 'tile/0/999.p/255', 'tile/entries/x012/345.p/1']) {
    const tile = parseTilePath(path);
    assert.ok(tile);
    assert.equal(tilePath(tile), path);
  }
  for (const path of [
    ...['', 'tile/64/000', 'tile/00/000', 'tile/0/0', 'tile/0/x000/001', 'tile/0/000.p/0'],
    ...['tile/0/000.p/256', 'tile/0/000.p/01', 'tile/0/../000', 'tile/0/001/000', '/tile/0/000'],
    ...['tile/data/000', 'tile/0/000/', `tile/0/${'x999/'.repeat(9)}999`],
  ]) {
    assert.equal(parseTilePath(path), undefined, path);
  }
  assert.deepEqual(
    [0, 1, 2, 3].map((level) => widthIn(70_000, { level, index: 0 })),
    [256, 256, 1, 0],
  );
  assert.equal(widthIn(70_000, { level: 0, index: 273 }), 112);
  assert.equal(widthIn(70_000, { level: 1, index: 1 }), 17);
});

test('a log that grew in any steps has the tiles and the root of its entries', async () => {
  const sizes = [1, 2, 255, 256, 257, 511, 600, 1_100];
  const { place } = await written(sizes);
  const { checkpoint, cut } = await sound(place);
  assert.equal(checkpoint.size, 1_100);
  assert.deepEqual(checkpoint.root, rootAt(1_100));
  assert.equal(cut.count, 0);
  const partial = readdirSync(join(place.dir, 'tile'), { recursive: true }).filter((name) =>
    /\.p\/\d+$/.test(String(name)),
  );
  assert.deepEqual(partial.sort(), ['0/004.p/76', '1/000.p/4', 'entries/004.p/76']);
  const { place: again } = await written([1_100]);
  assert.deepEqual((await sound(again)).checkpoint.root, checkpoint.root);
});

test('a tree of three levels checks, and proves each entry and each earlier size', async () => {
  const size = 66_000;
  const { place } = await written([65_535, 65_537, size]);
  const { checkpoint } = await sound(place);
  const reader = openLogReader(place.dir, size);
  for (const index of [0, 255, 256, 65_535, 65_536, size - 1]) {
    const leaf = leafHash(reader.entry(index));
    assert.deepEqual(reader.leafHash(index), leaf);
    const claim = { index, size, leaf, root: checkpoint.root, proof: reader.inclusion(index) };
    assert.ok(verifyInclusion(claim), String(index));
  }
  for (const before of [1, 256, 300, 65_536, 65_999]) {
    const first = { size: before, root: rootAt(before) };
    const proof = reader.consistency(before);
    assert.ok(verifyConsistency({ first, second: checkpoint, proof }), String(before));
  }
});

test('who holds an earlier checkpoint still gets its tiles and proofs', async () => {
  const { place } = await written([200, 300, 520]);
  for (const size of [200, 300]) {
    const width = size % 256;
    const index = Math.floor(size / 256);
    const hashes = readTile(place.dir, { level: 0, index, width });
    assert.deepEqual(hashes, Buffer.concat(entries(index * 256, size).map(leafHash)));
    const reader = openLogReader(place.dir, size);
    assert.deepEqual(reader.entry(size - 1), entry(size - 1));
    const claim = { index: 3, size, leaf: leafHash(entry(3)), root: rootAt(size) };
    assert.ok(verifyInclusion({ ...claim, proof: reader.inclusion(3) }));
  }
  assert.equal(readTile(place.dir, { level: 0, index: 2, width: 9 }), undefined);
  assert.throws(() => openLogReader(place.dir, 600).leafHash(599));
});

test('an append that was cut before it was signed is written over, and leaves nothing', async () => {
  const { place, log } = await written([300]);
  const lost: LogPlace = {
    ...place,
    signer: { ...signer, sign: () => Promise.reject(new Error('killed')) },
  };
  await assert.rejects(appendEntries(lost, log, [Buffer.from('{"other":1}')]));
  const found = await sound(place);
  assert.equal(found.checkpoint.size, 300);
  await removeStrays(place.dir, found.edge);
  const names = readdirSync(join(place.dir, 'tile'), { recursive: true }).map(String);
  assert.ok(!names.some((name) => name.endsWith('.p/45')), 'the unsigned tile is gone');
  await appendEntries(place, logOf(found), entries(300, 700));
  assert.deepEqual((await sound(place)).checkpoint.root, rootAt(700));
});

test('bodies that were cut off leave every hash, root and proof as it was', async () => {
  const { place, log } = await written([700]);
  const before = (await sound(place)).checkpoint;
  const isOver = (body: Buffer) => !body.includes('"entry":9');
  const { log: left, bodies } = await cutBodies(place, log, { below: 600, isOver });
  assert.equal(bodies, 600 - 11);
  const found = await sound(place);
  assert.deepEqual(found.checkpoint, before);
  assert.deepEqual(found.cut, { count: 589, last: 599 });
  const reader = openLogReader(place.dir, 700);
  assert.equal(reader.entry(5).length, 0);
  assert.deepEqual(reader.entry(95), entry(95));
  const claim = { index: 5, size: 700, leaf: leafHash(entry(5)), root: before.root };
  assert.ok(verifyInclusion({ ...claim, proof: reader.inclusion(5) }));
  assert.equal((await cutBodies(place, left, { below: 600, isOver })).bodies, 0);
  await appendEntries(place, left, entries(700, 710));
  assert.deepEqual((await sound(place)).checkpoint.root, rootAt(710));
});

test('300 random edits of a log are all found', async () => {
  const { place, log } = await written([300, 540]);
  const [older, whole] = [join(folder, 'older'), join(folder, 'whole')];
  cpSync(place.dir, older, { recursive: true });
  await appendEntries(place, log, entries(540, 600));
  cpSync(place.dir, whole, { recursive: true });
  const missed: string[] = [];
  for (let seed = 1; seed <= 300; seed += 1) {
    rmSync(place.dir, { recursive: true });
    cpSync(whole, place.dir, { recursive: true });
    const edit = editLog(place.dir, older, pickOf(seed));
    const found = await check(place);
    if (found !== 'empty' && 'fault' in found) continue;
    missed.push(`${seed}: ${edit}`);
  }
  assert.deepEqual(missed, []);
});

test('a fork that the key itself signed is found beside the second copy', async () => {
  const { place } = await written([300]);
  const copy = copyOf(place);
  const other = newPlace();
  await appendEntries(other, newLog(origin), [Buffer.from('{}'), ...entries(1, 400)]);
  const forked = await check({ ...other, copy: place.copy });
  assert.deepEqual(forked, { fault: 'forked', where: 'checkpoint' });
  assert.deepEqual(await check(place, [copy.replace('300', '299')]), {
    fault: 'copy-forged',
    where: 'checkpoint',
  });
  rmSync(place.dir, { recursive: true });
  assert.deepEqual(await check(place, [copy]), { fault: 'rolled-back', where: 'checkpoint' });
  assert.equal(await check(place, []), 'empty');
});

test('a log of another key, or of another origin, is not this one', async () => {
  const { place, log } = await written([10]);
  const forged = { fault: 'checkpoint-forged', where: 'checkpoint' };
  const { publicKey: another } = testSigner();
  assert.deepEqual(await checkLog(place.dir, { origin, publicKey: another }), forged);
  assert.deepEqual(await checkLog(place.dir, { origin: 'other', publicKey }), forged);
  assert.ok(await isAsLeft(place, log));
  const root = createHash('sha256').update('other').digest();
  const note = await signCheckpoint({ origin, size: 10, root }, signer);
  assert.ok(openCheckpoint(note, publicKey));
  writeFileSync(join(place.dir, 'checkpoint'), note);
  assert.ok(!(await isAsLeft(place, log)));
  assert.deepEqual(await check(place, []), { fault: 'forked', where: 'checkpoint' });
});
