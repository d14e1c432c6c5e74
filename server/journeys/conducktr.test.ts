/**
 * Conducktr: a gateway reports which tool ran, as a Segment client would. What a tool was given and
 * what it answered is stored nowhere, and the optional analytics end at Do Not Track.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noChromium, walkConsole } from '#testing/console-walk';
import { type Journey, startJourney } from '#testing/journey';

const SECRET = 'CANARY-tool-64d8';
const CLEAR = 'clear-tool-a0c7';
/** Of a resolver in the United States, where optional analytics want no consent before. */
const AMERICAN = { ip: '8.8.8.8' };
const EUROPEAN = { ip: '194.95.0.1' };

let journey: Journey;
before(async () => {
  journey = await startJourney('conducktr');
});
after(() => journey?.stop());

/** As Segment's libraries sign: the key is the name of a user without a password. */
const basic = () => ({ authorization: `Basic ${btoa(`${journey.key}:`)}` });

const feature = (userId: string, context: object) => ({
  type: 'track',
  event: 'feature_used',
  userId,
  properties: { path: '/workspaces', feature: 'approvals', action: 'open' },
  context,
});

test('a gateway with a Segment key reports its tools, and no argument is stored', async () => {
  for (const outcome of ['done', 'denied', 'held']) {
    const sent = await journey.call(
      '/v1/track',
      {
        event: outcome === 'done' ? 'tool_executed' : `tool_${outcome}`,
        userId: 'member-3',
        properties: {
          server: 'linear',
          tool: CLEAR,
          outcome,
          duration_ms: 310,
          arguments: { title: SECRET, assignee: `dana@${SECRET}.example` },
          result: [{ id: 1, body: SECRET }],
        },
      },
      basic(),
    );
    assert.deepEqual(sent, { success: true, accepted: 1, status: 200 });
  }
  const rows = await journey.rows('tool_executions', 3);
  assert.deepEqual(rows.map((row) => row['f_outcome']).sort(), ['denied', 'done', 'held']);
  assert.ok(rows.every((row) => row['f_tool'] === CLEAR && row['sealed'] === ''));
  assert.equal((await journey.drops())['undeclared-field'], 6);
  assert.deepEqual(journey.filesWith(SECRET), []);
  assert.notDeepEqual(journey.filesWith(CLEAR), [], 'the scan finds what is clear');
});

test('the address of an API call loses its query, and an error its message’s addresses', async () => {
  await journey.call(
    '/v1/batch',
    {
      batch: [
        {
          type: 'track',
          event: 'api_call',
          userId: 'member-3',
          properties: {
            endpoint: `https://api.example/v1/servers/linear/tools?token=${SECRET}`,
            method: 'POST',
            status: 200,
            duration_ms: 45,
          },
        },
        {
          type: 'track',
          event: 'error',
          userId: 'member-3',
          properties: { code: 'E42', severity: 'error', message: `dana@${SECRET}.example failed` },
        },
      ],
    },
    basic(),
  );
  const [call = {}] = await journey.rows('api_call_logs', 1);
  assert.equal(call['f_endpoint'], '/v1/servers/linear/tools');
  const [error = {}] = await journey.rows('error_logs', 1);
  assert.notEqual(error['sealed'], '');
  assert.deepEqual(journey.filesWith(SECRET), []);
});

test('Do Not Track closes the optional analytics and leaves the work alone', async () => {
  const open = await journey.batch([feature('member-4', AMERICAN)]);
  assert.deepEqual([open.accepted, open.dropped], [1, undefined]);
  const work = {
    type: 'track',
    event: 'tool_executed',
    userId: 'member-4',
    properties: { server: 'github', tool: 'merge', outcome: 'done' },
  };
  const closed = await journey.batch([feature('member-4', AMERICAN), work], { dnt: '1' });
  assert.deepEqual([closed.accepted, closed.dropped], [1, { 'signal-dnt': 1 }]);
  assert.equal((await journey.rows('tool_executions', 4)).length, 4);
  assert.equal((await journey.rows('analytics', 1)).length, 1);
});

test('in the European Union, and where nobody knows, analytics wait for a yes', async () => {
  for (const context of [EUROPEAN, {}]) {
    const closed = await journey.batch([feature('member-5', context)]);
    assert.deepEqual(closed.dropped, { 'no-consent': 1 });
  }
  const path = '/v1/t/conducktr/consents';
  const yes = await journey.call(path, {
    handle: { userId: 'member-5' },
    purpose: 'telemetry',
    granted: true,
    notice: { version: '1.0', language: 'en' },
  });
  assert.equal(yes.status, 201);
  const open = await journey.batch([feature('member-5', EUROPEAN)]);
  assert.equal(open.accepted, 1);
  const signal = await journey.batch([feature('member-5', EUROPEAN)], { dnt: '1' });
  assert.deepEqual(signal.dropped, { 'signal-dnt': 1 }, 'the policy hears the signal first');
  const { receipts } = await journey.call(`${path}/status`, { handle: { userId: 'member-5' } });
  assert.ok(JSON.stringify(receipts).includes('dnt'), 'the conflict is on record');
  await journey.call(`${path}/withdraw`, { handle: { userId: 'member-5' } });
  const after = await journey.batch([feature('member-5', EUROPEAN)]);
  assert.deepEqual(after.dropped, { 'no-consent': 1 });
  assert.equal((await journey.rows('analytics', 2)).length, 2);
  assert.deepEqual(journey.filesWith('194.95.0.1'), [], 'the address was only looked up');
});

test('an operator sees all of it in the console', { skip: noChromium }, async () => {
  assert.equal(await journey.counted('analytics', 2), 2);
  await walkConsole(journey, {
    promises: 166,
    open: ['CD-14', 'Fernet (AES-256)'],
    rows: { 'Tool execution data': 4, 'Analytics (optional)': 2, 'API call logs': 1 },
    drops: [
      'The browser sent Do Not Track',
      'Its purpose needs a consent that is not there',
      'Fields cut: the policy does not declare them',
      'Fields with personal content cut out',
    ],
  });
});
