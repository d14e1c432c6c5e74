/**
 * A client that knows nothing of Troth: the Segment library from npm, unmodified, delivers to each
 * of the five services. What it sent is queryable, personal fields are sealed, the rest is counted.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { filesWith } from '#testing/journey';
import { asOperator, type RunningServer, startRunning } from '#testing/running';
import { deliver } from '#testing/segment-client';

type DataMap = { types: { id: string; rows: number | null }[] };
type Pipeline = { accepted: number; drops: { reason: string; events: number }[] };

let server: RunningServer;
before(async () => {
  server = await startRunning();
});
after(() => server?.stop());

const shown = async <Body>(path: string): Promise<Body> => {
  const answer = await asOperator(server, path);
  assert.equal(answer.status, 200, path);
  return (await answer.json()) as Body;
};

/** A row is queryable within a second or two of its acknowledgement. */
async function rowsOf(tenant: string, type: string, atLeast: number): Promise<number> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const map = await shown<DataMap>(`/v1/t/${tenant}/data-map`);
    const rows = map.types.find(({ id }) => id === type)?.rows ?? 0;
    if (rows >= atLeast) return rows;
    await sleep(250);
  }
  return shown<DataMap>(`/v1/t/${tenant}/data-map`).then(
    (map) => map.types.find(({ id }) => id === type)?.rows ?? 0,
  );
}

const CASES: [string, string, string, Record<string, unknown>][] = [
  [
    'clanker',
    'agent-commands',
    'agent_command',
    { tool: 'shell', outcome: 'done', arguments: { note: 'CANARY-7f3a9' } },
  ],
  [
    'conducktr',
    'tool-executions',
    'tool_executed',
    { server: 'github', tool: 'merge', outcome: 'done', duration_ms: 80 },
  ],
  [
    'workorders',
    'automation-runs',
    'automation_run',
    { run: 'run-1', outcome: 'done', pages_read: 3 },
  ],
  ['magenta', 'analytics-events', 'button_pressed', { path: '/pricing', label: 'Try it' }],
  [
    'loopkit',
    'feature-usage',
    'feature_used',
    { feature: 'export_data', success: true, duration: 120 },
  ],
];

for (const [tenant, type, event, properties] of CASES) {
  test(`a Segment client, unmodified, delivers to ${tenant}`, async () => {
    await deliver(server, tenant, (client) => {
      for (let n = 0; n < 12; n += 1) {
        client.track({
          anonymousId: `visitor-${n}`,
          userId: `person-${n}`,
          event,
          properties: { ...properties, undeclared_thing: 'x' },
        });
      }
    });
    assert.equal(await rowsOf(tenant, type, 12), 12);
    const pipeline = await shown<Pipeline>(`/v1/t/${tenant}/pipeline`);
    assert.ok(pipeline.accepted >= 12);
    const unsealed = pipeline.drops.filter(
      ({ reason, events }) => reason === 'no-key-to-seal' && events > 0,
    );
    assert.deepEqual(unsealed, [], 'a personal field was left out for want of a key');
  });
}

type Sent = { body: unknown; key?: string; type?: string };
type Described = { paths: Record<string, { post: { responses: Record<string, object> } }> };

test('each status that a batch is answered is named in the description of the API', async () => {
  const path = '/v1/t/clanker/batch';
  const good = { type: 'track', anonymousId: 'd', event: 'agent_command', properties: {} };
  const bad = { type: 'zz' };
  const send = ({ body, key = server.writeKeys['clanker'], type = 'application/json' }: Sent) =>
    fetch(new URL(path, server.url), {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${key}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const cases: [number, Sent][] = [
    [200, { body: { batch: [good] } }],
    [207, { body: { batch: [good, bad] } }],
    [400, { body: '{' }],
    [401, { body: { batch: [good] }, key: 'none' }],
    [403, { body: { batch: [good] }, key: server.writeKeys['magenta'] ?? '' }],
    [413, { body: { batch: Array(1_000).fill(good) } }],
    [415, { body: '<a/>', type: 'application/xml' }],
    [422, { body: { batch: [bad] } }],
  ];
  const { paths } = await shown<Described>('/openapi.json');
  const named = paths['/v1/t/{tenant}/batch']?.post.responses ?? {};
  for (const [status, sent] of cases) {
    assert.equal((await send(sent)).status, status);
    assert.ok(named[status], `${status} is not named`);
  }
  for (const status of ['429', '503', 'default']) assert.ok(named[status], status);
  const partial = await send({ body: { batch: [good, bad] } });
  const { refused, ...rest } = (await partial.json()) as { refused: { index: number }[] };
  assert.deepEqual(rest, { success: false, accepted: 1, dropped: {} });
  assert.deepEqual(
    refused.map(({ index }) => index),
    [1],
  );
});

test('a personal field that a Segment client sent is in no file of the data directory', async () => {
  assert.deepEqual(filesWith(server.dataDir, 'CANARY-7f3a9'), []);
});

test('a key of one service is refused at another, and a wrong key everywhere', async () => {
  const send = (tenant: string, key: string) =>
    fetch(new URL(`/v1/t/${tenant}/batch`, server.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ batch: [] }),
    }).then(({ status }) => status);
  assert.equal(await send('loopkit', server.writeKeys['clanker'] ?? ''), 403);
  assert.equal(await send('loopkit', 'no-such-key'), 401);
});
