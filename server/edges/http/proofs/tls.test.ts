import { existsSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Edit, useProven } from '#testing/proven';

const proven = useProven();

const SPEAKS_1_2: Edit = [
  'edges/http/listener.ts',
  "minVersion: 'TLSv1.3'",
  "minVersion: 'TLSv1.2'",
];

test('the TLS door speaks what is published, with keys that are thrown away', async () => {
  await proven.keeps('encryption.tls');
  await proven.keeps('encryption.forward-secrecy');
});

test('a door that also speaks an older version is found', async () => {
  await proven.restart([SPEAKS_1_2]);
  await proven.breaks('encryption.tls');
});

test('a door that agrees to a key that lasts is found', async () => {
  // An RSA certificate, with which TLS 1.2 can do without an ephemeral key.
  const rsa = `{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]) } as const`;
  rmSync(join(proven.dataDir, 'tls'), { recursive: true });
  await proven.restart([
    SPEAKS_1_2,
    [
      'platform/tls/index.ts',
      "{ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const",
      rsa,
    ],
  ]);
  await proven.breaks('encryption.forward-secrecy');
});

test('a second door without TLS, which only IPv6 leads to, is found', {
  skip: !existsSync('/proc/net/if_inet6') && 'this machine has no IPv6',
}, async () => {
  for (const port of ['plain.port', 'secure.port']) {
    await proven.restart([
      [
        'composition.ts',
        'stack.defer(() => secure.close());',
        `stack.defer(() => secure.close());
         const other = await listen({ app, host: '::1', port: ${port} });
         stack.defer(() => other.close());`,
      ],
    ]);
    await proven.breaks('encryption.tls');
  }
});

const isReachable = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .some(({ internal, family }) => !internal && family === 'IPv4');

test('a door without TLS that other machines can reach is found', {
  skip: !isReachable && 'this machine has no address but loopback',
}, async () => {
  await proven.restart([
    ['composition.ts', "const LOOPBACK = '127.0.0.1';", "const LOOPBACK = '0.0.0.0';"],
  ]);
  await proven.breaks('encryption.tls');
});
