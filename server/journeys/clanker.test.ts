/**
 * CLANKER.WORKS: agents send commands through the client library. Arguments are sealed, a browser
 * is described by what the policy names and nothing else, and nothing about a child is kept.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '@troth/sdk';
import { noChromium, walkConsole } from '#testing/console-walk';
import { type Journey, startJourney } from '#testing/journey';

let journey: Journey;
before(async () => {
  journey = await startJourney('clanker');
});
after(() => journey?.stop());

test('agents deliver their commands, and the arguments are in no file in the clear', async () => {
  const { server, key } = journey;
  const client = createClient({
    endpoint: server.url,
    writeKey: key,
    tenant: 'clanker',
    mode: 'pseudonymous',
    essential: ['agent_command', 'command_sequence', 'error', 'network_sample'],
    storage: 'memory',
  });
  client.identify('operator-7');
  for (let sequence = 0; sequence < 8; sequence += 1) {
    client.track('agent_command', {
      agent: 'deployer',
      tool: 'clear-tool-4e71',
      sequence,
      outcome: 'done',
      duration_ms: 40 + sequence,
      arguments: { cwd: '/srv/CANARY-args-91c2', argv: ['run', '--token', 'CANARY-args-91c2'] },
    });
  }
  client.track('error', {
    code: 'E_STEP',
    component: 'deployer',
    severity: 'error',
    message: 'step CANARY-args-91c2 ended',
  });
  assert.equal(await client.shutdown(), true);
  const rows = await journey.rows('agent_commands', 8);
  assert.equal(rows.length, 8);
  assert.ok(rows.every((row) => row['f_tool'] === 'clear-tool-4e71'));
  assert.ok(rows.every((row) => String(row['sealed']).length > 0));
  assert.equal(new Set(rows.map((row) => row['subject'])).size, 1, 'one operator, one subject');
  assert.ok(rows.every((row) => !('f_arguments' in row)));
  assert.deepEqual(journey.filesWith('CANARY-args-91c2'), []);
  assert.notDeepEqual(journey.filesWith('clear-tool-4e71'), [], 'the scan finds what is clear');
  assert.deepEqual(journey.filesWith('operator-7'), [], 'nor is the operator’s name anywhere');
});

test('of a fingerprint only the kind of browser and its viewport are kept', async () => {
  const sent = await journey.batch([
    {
      type: 'track',
      event: 'client_signals',
      userId: 'operator-7',
      properties: {
        user_agent_family: 'Firefox',
        viewport_width: 1440,
        viewport_height: 900,
        canvas_hash: 'CANARY-canvas-5d20',
        installed_fonts: 212,
        webgl_vendor: 'CANARY-canvas-5d20',
        audio_hash: 'a91f',
      },
    },
  ]);
  assert.deepEqual([sent.status, sent.accepted], [200, 1]);
  const [row = {}] = await journey.rows('client_signals', 1);
  const fields = Object.keys(row).filter((name) => name.startsWith('f_'));
  assert.deepEqual(fields.sort(), ['f_user_agent_family', 'f_viewport_height', 'f_viewport_width']);
  assert.equal(row['f_user_agent_family'], 'Firefox');
  assert.equal((await journey.drops())['undeclared-field'], 4);
  assert.deepEqual(journey.filesWith('CANARY-canvas-5d20'), []);
});

test('an event that says it is about a minor leaves nothing, and the rest of its batch stays', async () => {
  const command = (userId: string, more: object) => ({
    type: 'track',
    event: 'agent_command',
    userId,
    properties: { tool: 'shell', outcome: 'done', ...more },
  });
  const sent = await journey.batch([
    command('operator-8', {}),
    command('young-1', { minor: true }),
    command('young-2', { age: 17 }),
    command('operator-9', { age: 18 }),
    { ...command('young-3', {}), context: { minor: true } },
  ]);
  assert.equal(sent.accepted, 2);
  assert.deepEqual(sent.dropped, { 'under-age': 3 });
  assert.equal((await journey.rows('agent_commands', 10)).length, 10);
});

test('what the policy declares no place for is dropped and counted', async () => {
  const before = (await journey.drops())['undeclared-event'] ?? 0;
  const sent = await journey.batch([
    { type: 'track', event: 'mouse_heatmap', userId: 'operator-7', properties: { x: 1 } },
  ]);
  assert.deepEqual(sent.dropped, { 'undeclared-event': 1 });
  assert.equal((await journey.drops())['undeclared-event'], before + 1);
});

test('an operator sees all of it in the console', { skip: noChromium }, async () => {
  assert.equal(await journey.counted('agent-commands', 10), 10);
  await walkConsole(journey, {
    promises: 77,
    open: ['CW-11', '90 Days'],
    rows: { 'Agent Commands': 10, 'Error Logs': 1 },
    drops: [
      'The person is below the policy’s age',
      'The policy declares no such event',
      'Fields cut: the policy does not declare them',
    ],
  });
});
