import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.ts';

test('a port that is none is refused with what to write, by name and without the value', () => {
  for (const port of ['abc', '1.5', '70000', '-1']) {
    assert.throws(
      () => readConfig({ TROTH_HTTP_PORT: port }, '/nowhere'),
      /^Error: configuration:\n {2}TROTH_HTTP_PORT: write a whole number from 0 to 65535, as 8787$/,
    );
  }
  assert.equal(readConfig({ TROTH_HTTP_PORT: '0' }, '/nowhere').httpPort, 0);
});

test('a trusted proxy that is no address or range is refused, by name and without the value', () => {
  assert.throws(
    () => readConfig({ TROTH_TRUSTED_PROXIES: 'proxy.example' }, '/nowhere'),
    /TROTH_TRUSTED_PROXIES: write addresses and ranges, as 10\.0\.0\.0\/8,192\.0\.2\.7$/,
  );
});

test('the public address is scheme and host alone, and a mistake is named without the value', () => {
  for (const url of [
    'troth.example.org',
    'ftp://a.example',
    'https://a.example/x',
    'https://u@a.b',
  ]) {
    assert.throws(
      () => readConfig({ TROTH_PUBLIC_URL: url }, '/nowhere'),
      /TROTH_PUBLIC_URL: write scheme and host only, as https:\/\/troth\.example\.org$/,
    );
  }
  const { publicUrl } = readConfig({ TROTH_PUBLIC_URL: 'https://Troth.example.org/' }, '/nowhere');
  assert.equal(publicUrl, 'https://troth.example.org');
});
