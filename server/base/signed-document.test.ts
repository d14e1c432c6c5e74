import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSigner } from '#testing/signer';
import { keyIdOf } from './ed25519.ts';
import { type SignedDocument, signDocument, verifyDocument } from './signed-document.ts';

const signer = testSigner();
const document = { b: [1, 'ä', null, { z: true, a: -0.5 }], a: undefined, at: 'x' };
const signed = await signDocument('evidence-report', document, signer);
const again = (value: unknown) => JSON.parse(JSON.stringify(value)) as SignedDocument;

test('a document verifies after it was stored, spaced and reordered as JSON', () => {
  const reordered = {
    signature: signed.signature,
    document: JSON.parse('{ "at": "x", "b": [1.0, "\\u00e4", null, {"a": -5e-1, "z": true}] }'),
    troth: signed.troth,
  };
  for (const value of [signed, again(signed), reordered]) {
    const found = verifyDocument(value, signer.publicKey);
    assert.ok(!('failure' in found));
    assert.equal(found.kind, 'evidence-report');
    assert.equal(found.trusted, true);
    assert.equal(found.kid, signer.keyId);
  }
});

test('without a key from elsewhere the answer says that nobody vouches for the signer', () => {
  const found = verifyDocument(signed);
  assert.ok(!('failure' in found) && !found.trusted);
  assert.deepEqual(verifyDocument(signed, testSigner().publicKey), { failure: 'key-not-trusted' });
});

test('a signature of one kind of document is not one of another', () => {
  const moved = { ...signed, troth: 'erasure-certificate/1' };
  assert.deepEqual(verifyDocument(moved, signer.publicKey), { failure: 'signature-wrong' });
  const later = { ...signed, troth: 'evidence-report/2' };
  assert.deepEqual(verifyDocument(later, signer.publicKey), { failure: 'version-unknown' });
});

test('every changed letter of the file is found', () => {
  const text = JSON.stringify(signed);
  for (let at = 0; at < text.length; at += 1) {
    const changed = text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
    let value: unknown;
    try {
      value = JSON.parse(changed);
    } catch {
      continue;
    }
    assert.ok('failure' in verifyDocument(value, signer.publicKey), `${at}: ${changed}`);
  }
});

test('hostile input is refused and throws never', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
  const { signature } = signed;
  const other = Buffer.from(testSigner().publicKey);
  for (const value of [
    ...[undefined, null, 7, 'text', [], {}, [signed], { ...signed, more: 1 }],
    ...[
      { ...signed, troth: 7 },
      { ...signed, troth: 'a/1/2' },
      { ...signed, signature: null },
    ],
    { ...signed, document: deep },
    { ...signed, signature: { ...signature, alg: 'none' } },
    { ...signed, signature: { ...signature, value: '' } },
    { ...signed, signature: { ...signature, value: `${signature.value}A` } },
    { ...signed, signature: { ...signature, kid: keyIdOf(other) } },
    { ...signed, signature: { ...signature, publicKey: other.toString('base64url') } },
    { ...signed, signature: { ...signature, extra: true } },
  ]) {
    assert.ok('failure' in verifyDocument(value), String(value).slice(0, 40));
  }
});

test('what JSON cannot carry is not signed', async () => {
  await assert.rejects(signDocument('report', { at: Number.NaN }, signer), TypeError);
  await assert.rejects(signDocument('Not A Kind', {}, signer), TypeError);
});
