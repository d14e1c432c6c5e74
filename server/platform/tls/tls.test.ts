import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { localCertificate } from '#platform/tls';

const folder = mkdtempSync(join(tmpdir(), 'troth-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const now = new Date();

test('a client that trusts the local authority speaks TLS 1.3 to localhost, and nobody speaks 1.2', async () => {
  const { key, chain, authority } = await localCertificate(folder, now);
  const server = createServer({ key, cert: chain, minVersion: 'TLSv1.3' }, (socket) =>
    socket.end(),
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const dial = (options: object): Promise<TLSSocket> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority,
      ...options,
    });
    return once(socket, 'secureConnect').then(() => socket);
  };
  const socket = await dial({});
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  await assert.rejects(dial({ maxVersion: 'TLSv1.2' }));
  server.close();
});

test('the authority and the certificate are kept over starts, in files that only their owner reads', async () => {
  const first = await localCertificate(folder, now);
  const second = await localCertificate(folder, now);
  assert.equal(first.authority, second.authority);
  assert.equal(first.key, second.key);
  assert.equal(statSync(join(folder, 'authority.key')).mode & 0o777, 0o600);
});

test('the certificate is renewed before it ends, under the same authority', async () => {
  const first = await localCertificate(folder, now);
  const later = await localCertificate(folder, new Date(now.getTime() + 370 * 86_400_000));
  assert.equal(first.authority, later.authority);
  assert.notEqual(first.key, later.key);
});

test('what a power cut left of the pair is no pair: another one is made', async () => {
  const first = await localCertificate(folder, now);
  for (const name of ['authority.pem', 'authority.key', 'server.pem', 'server.key']) {
    writeFileSync(join(folder, name), '');
    const again = await localCertificate(folder, now);
    const server = new X509Certificate(again.chain);
    assert.ok(server.checkPrivateKey(createPrivateKey(again.key)), name);
    assert.ok(server.verify(new X509Certificate(again.authority).publicKey), name);
  }
  assert.notEqual((await localCertificate(folder, now)).authority, first.authority);
});
