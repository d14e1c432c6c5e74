/** The Segment library from npm, unmodified, as a client of a running server. */
import assert from 'node:assert/strict';
import { Analytics } from '@segment/analytics-node';
import type { RunningServer } from './running.ts';

/** Delivers what `send` hands to the library; fails where the server refused any of it. */
export async function deliver(
  server: RunningServer,
  tenant: string,
  send: (client: Analytics) => void,
): Promise<void> {
  const failures: unknown[] = [];
  const client = new Analytics({
    writeKey: server.writeKeys[tenant] ?? '',
    host: server.url,
    path: '/v1/batch',
    maxRetries: 0,
  });
  client.on('error', (error) => failures.push(error));
  send(client);
  await client.closeAndFlush();
  assert.deepEqual(failures, []);
}
