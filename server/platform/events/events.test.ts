import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RemoteEngine, startRemoteClickHouse } from '#testing/engines-remote';
import { useWorld } from '#testing/world';
import { eventsContract } from './contract.ts';
import { claimEvents, type Events, openEvents } from './index.ts';

const world = useWorld({ policies: [] });
eventsContract('the ClickHouse of the tests', async () => world.events);

let server: RemoteEngine;
let remote: Events;
before(async () => {
  server = await startRemoteClickHouse();
  remote = openEvents(server.url);
});
after(async () => {
  await remote?.close();
  await server?.stop();
});
eventsContract('a ClickHouse of the operator, with settings of its own', async () => remote);

test('an event store belongs to one installation, and is refused to every other', async () => {
  await claimEvents(remote, 'first');
  await claimEvents(remote, 'first');
  await assert.rejects(claimEvents(remote, 'second'), { code: 'data-without-keys' });
});

test('the grants of the guide are those of the embedded engine, and reach no file', async () => {
  for (const sql of ["select * from file('/etc/passwd', 'LineAsString')", 'system shutdown']) {
    await assert.rejects(remote.command(sql), { code: 'events-refused' });
  }
  const grants = async (events: Events) =>
    (await events.query<{ grant: string }>('show grants')).map((row) =>
      Object.values(row)
        .join()
        .replace(/ TO .*/, ''),
    );
  assert.deepEqual(await grants(remote), await grants(world.events));
});

test('an engine that does not answer is a problem that says when to try again', async () => {
  const events = openEvents('http://nobody:nothing@127.0.0.1:1', { timeoutMs: 1_000 });
  await assert.rejects(events.ping(), { code: 'events-unavailable', retryAfterSeconds: 1 });
  await events.close();
});
