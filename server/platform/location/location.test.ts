import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOWHERE, openLocation } from './index.ts';

const location = await openLocation();

test('an address of each family is placed in its country', () => {
  assert.equal(location.locate('8.8.8.8').country, 'US');
  assert.equal(location.locate('::ffff:8.8.8.8').country, 'US');
  assert.equal(location.locate('141.20.1.1').country, 'DE');
  assert.equal(location.locate('2001:4860:4860::8888').country, 'US');
});

test('what is no public address is nowhere, and never an error', () => {
  for (const address of ['10.0.0.1', '127.0.0.1', '::1', '', 'x', '999.1.1.1', 'fe80::1%eth0']) {
    assert.equal(location.locate(address), NOWHERE, address);
  }
});

test('a file that is not a location database is refused at start', async () => {
  await assert.rejects(openLocation({ file: import.meta.filename }));
});
