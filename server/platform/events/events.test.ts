import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { useWorld } from '#testing/world';
import { eventsContract } from './contract.ts';
import { openEvents } from './index.ts';

const world = useWorld({ policies: [] });
eventsContract('the ClickHouse of the tests', async () => world.events);

const remote = process.env['TROTH_TEST_REMOTE_CLICKHOUSE_URL'];
if (remote) {
  const events = openEvents(remote);
  after(() => events.close());
  eventsContract('a remote ClickHouse', async () => events);
} else {
  test(
    'a remote ClickHouse',
    { skip: 'TROTH_TEST_REMOTE_CLICKHOUSE_URL names none' },
    () => undefined,
  );
}

test('an engine that does not answer is a problem that says when to try again', async () => {
  const events = openEvents('http://nobody:nothing@127.0.0.1:1', { timeoutMs: 1_000 });
  await assert.rejects(events.ping(), { code: 'events-unavailable', retryAfterSeconds: 1 });
  await events.close();
});
