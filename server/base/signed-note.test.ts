import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSigner } from '#testing/signer';
import {
  checkpointText,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseVkey,
  signCheckpoint,
  signNote,
  vkeyOf,
} from './signed-note.ts';

/** The example of golang.org/x/mod/sumdb/note, where the format comes from. */
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2' +
  'ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

test('the published example opens under its key, and its key is spelt as published', () => {
  const key = parseVkey(VKEY);
  assert.ok(key);
  assert.equal(vkeyOf(key), VKEY);
  assert.equal(openNote(NOTE, key), 'This is an example message.\n');
});

test('a note that was changed anywhere does not open', () => {
  const key = parseVkey(VKEY);
  assert.ok(key);
  for (let at = 0; at < NOTE.length; at += 1) {
    // The last letter before the padding carries two bits that stand for nothing.
    if (at === NOTE.length - 3) continue;
    const other = NOTE[at] === 'A' ? 'B' : 'A';
    const changed = NOTE.slice(0, at) + other + NOTE.slice(at + 1);
    assert.equal(openNote(changed, key), undefined, `at ${at}`);
    assert.equal(openNote(NOTE.slice(0, at), key), undefined, `cut at ${at}`);
  }
});

test('a key whose hash is of another, or of another algorithm, is none', () => {
  for (const text of [
    '',
    'example.com/foo',
    VKEY.replace('530d903a', '530d903b'),
    VKEY.replace('example', 'examples'),
    VKEY.replace('Aeky', 'Aoky'),
    `${VKEY}AAAA`,
  ]) {
    assert.equal(parseVkey(text), undefined, text);
  }
  assert.ok(parseVkey(`${VKEY}\n`));
});

test('signatures of others are carried along; a wrong one under our name refuses all', async () => {
  const [ours, theirs] = [testSigner(), testSigner()];
  const key = { name: 'log', publicKey: ours.publicKey };
  const note = await signNote('a\n\nb\n', 'log', ours);
  const witness = (await signNote('a\n\nb\n', 'witness', theirs)).split('\n\n').at(-1);
  assert.equal(openNote(note + witness, key), 'a\n\nb\n');
  assert.equal(openNote(note.replace('— log', `${witness}— log`), key), 'a\n\nb\n');
  const forged = (await signNote('c\n', 'log', ours)).split('\n\n').at(-1) ?? '';
  assert.equal(openNote(note.replace('— log', `${forged}— log`), key), undefined);
  assert.equal(openNote(note, { name: 'log', publicKey: theirs.publicKey }), undefined);
  assert.equal(openNote(note, { ...key, name: 'log2' }), undefined);
  assert.equal(openNote(`${note}no signature\n`, key), undefined);
  await assert.rejects(signNote('no newline', 'log', ours), TypeError);
  await assert.rejects(signNote('a\rb\n', 'log', ours), TypeError);
  await assert.rejects(signNote('a\n', 'a log', ours), TypeError);
});

test('a checkpoint is read as the specification prints it, and not otherwise', async () => {
  const text =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
  const read = parseCheckpoint(text);
  assert.equal(read?.origin, 'example.com/behind-the-sofa');
  assert.equal(read.size, 20_852_163);
  assert.equal(checkpointText(read), text);
  assert.ok(parseCheckpoint(`${text}extension\n`));
  for (const wrong of [
    text.slice(0, -1),
    `${text}\n`,
    text.replace('2085', '02085'),
    text.replace('20852163', '-1'),
    text.replace('20852163', '99999999999999999'),
    text.replace('q2I=', 'q2J='),
    text.replace('q2I=', 'q2I'),
    `\n${text}`,
  ]) {
    assert.equal(parseCheckpoint(wrong), undefined, wrong);
  }
  const signer = testSigner();
  const note = await signCheckpoint(read, signer);
  assert.deepEqual(openCheckpoint(note, signer.publicKey), read);
  assert.equal(openCheckpoint(note, testSigner().publicKey), undefined);
  assert.equal(openCheckpoint(note.replace('20852163', '20852164'), signer.publicKey), undefined);
  assert.equal(openCheckpoint('', signer.publicKey), undefined);
});
