import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { addressBehind, readProxies } from './forwarded-address.ts';

const tell = addressBehind(readProxies('10.0.0.0/8, fd00::/8,192.0.2.7'));
const told = (remoteAddress: string, headers: Record<string, string> = {}) =>
  tell({ socket: { remoteAddress }, headers } as Pick<IncomingMessage, 'socket' | 'headers'>);
const xff = (text: string) => ({ 'x-forwarded-for': text });

test('what anybody but a named proxy says of addresses counts for nothing', () => {
  assert.equal(told('203.0.113.9', xff('1.1.1.1')), '203.0.113.9');
  assert.equal(told('203.0.113.9', { forwarded: 'for=1.1.1.1' }), '203.0.113.9');
  assert.equal(told('::ffff:203.0.113.9', xff('10.0.0.1')), '203.0.113.9');
  assert.equal(told('192.0.2.8', xff('1.1.1.1')), '192.0.2.8');
});

test('the rightmost hop that is no proxy of ours counts, whatever was written left of it', () => {
  assert.equal(told('10.1.2.3', xff('198.51.100.4')), '198.51.100.4');
  assert.equal(told('::ffff:10.1.2.3', xff('1.1.1.1, 198.51.100.4')), '198.51.100.4');
  assert.equal(told('10.1.2.3', xff('1.1.1.1, 198.51.100.4, 192.0.2.7, fd00::5')), '198.51.100.4');
  assert.equal(told('10.1.2.3', xff('[2001:db8::1]:4711')), '2001:db8::1');
  assert.equal(told('10.1.2.3', xff('198.51.100.4:5500')), '198.51.100.4');
  const forwarded = 'for=1.1.1.1, for="[2001:db8::1]:47011";proto=https;by=203.0.113.43';
  assert.equal(told('fd00::9', { forwarded }), '2001:db8::1');
});

test('a hop that names no address, or two headers that disagree, leave the nearest proxy', () => {
  assert.equal(told('10.1.2.3', xff('1.1.1.1, unknown')), '10.1.2.3');
  assert.equal(told('10.1.2.3', xff('1.1.1.1, _hidden, 10.9.9.9')), '10.9.9.9');
  assert.equal(told('10.1.2.3', xff('')), '10.1.2.3');
  assert.equal(told('10.1.2.3', xff("1.1.1.1' or true --")), '10.1.2.3');
  assert.equal(told('10.1.2.3', xff(`${'1.1.1.1,'.repeat(1_500)}198.51.100.4`)), '198.51.100.4');
  const both = { ...xff('198.51.100.4'), forwarded: 'for=1.1.1.1' };
  assert.equal(told('10.1.2.3', both), '10.1.2.3');
  assert.equal(told('10.1.2.3', { ...both, forwarded: 'for=198.51.100.4' }), '198.51.100.4');
  assert.equal(told('10.1.2.3'), '10.1.2.3');
});

test('what is no address or range names no proxy', () => {
  for (const text of ['', 'proxy.example', '10.0.0.0/33', '::/129', '10.0.0.0/8;', '1.2.3', '/8']) {
    assert.throws(() => readProxies(text), RangeError, text);
  }
});
