/**
 * LoopKit: the call that its policy prints, word for word and over TLS 1.3; three degrees of saying
 * who somebody is; and consent calls of the client library that decide at the server.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { createClient, presets } from '@troth/sdk';
import { noChromium, walkConsole } from '#testing/console-walk';
import { type Journey, startJourney } from '#testing/journey';

const POLICY = join(import.meta.dirname, '..', '..', 'policies', 'loopkit.md');
const EVENT = {
  event: 'feature_used',
  properties: { feature: 'export_data', success: true, duration: 120 },
};

let journey: Journey;
before(async () => {
  journey = await startJourney('loopkit');
});
after(() => journey?.stop());

const run = promisify(execFile);
const curlIsHere = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

/** The four printed lines, with the real origin and key in their places. */
function printedCall(origin: string): string {
  const lines = readFileSync(POLICY, 'utf8').split('\n');
  const first = lines.findIndex((line) => line.startsWith('curl '));
  const printed = lines.slice(first, first + 4).join('\n');
  assert.ok(
    printed.includes('-H "Authorization: Bearer api_key"') && printed.includes('--tlsv1.3'),
  );
  return printed.replace('https://api.loopkit.ai', origin).replace('api_key', journey.key);
}

async function curl(origin: string, ...more: string[]): Promise<[status: number, body: string]> {
  const rest = more.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const command = `${printedCall(origin)} ${rest} -s -w '\\n%{http_code}'`;
  const { stdout } = await run('sh', ['-c', command]);
  const end = stdout.lastIndexOf('\n');
  return [Number(stdout.slice(end + 1)), stdout.slice(0, end)];
}

const skipCurl = curlIsHere ? false : 'no curl on this machine';

test('the printed call delivers, word for word, over TLS 1.3', { skip: skipCurl }, async () => {
  const { secureUrl, url, dataDir } = journey.server;
  const authority = ['--cacert', join(dataDir, 'tls', 'authority.pem')];
  const done = [200, '{"success":true,"accepted":1}'];
  const body = JSON.stringify(EVENT);
  assert.deepEqual(await curl(secureUrl, ...authority, '-d', body), done);
  assert.deepEqual(await curl(url, '-d', body), done);
  const [status, answer] = await curl(secureUrl, ...authority);
  assert.equal(status, 400, 'as printed it has no body, and is told so');
  assert.match(answer, /ingest-/);
  assert.equal((await journey.rows('feature_usage', 2)).length, 2);
});

test('below TLS 1.3 nobody is spoken to', async () => {
  const { port } = new URL(journey.server.secureUrl);
  const ca = readFileSync(join(journey.server.dataDir, 'tls', 'authority.pem'));
  const shake = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string>((resolve) => {
      const socket = connect({ port: Number(port), host: 'localhost', ca, maxVersion });
      socket.on('secureConnect', () => {
        resolve(`${socket.getProtocol()} ${socket.authorized}`);
        socket.destroy();
      });
      socket.on('error', () => resolve('refused'));
    });
  assert.equal(await shake('TLSv1.3'), 'TLSv1.3 true');
  assert.equal(await shake('TLSv1.2'), 'refused');
});

test('anonymous, pseudonymous, identified: each says no more than its degree', async () => {
  const identify = (userId: string, mode: string, traits: object) =>
    journey.call('/v1/t/loopkit/identify', { userId, traits, context: { mode } });
  const plain = { plan: 'pro', signup_date: '2025-02-03' };
  const mail = { ...plain, email: 'dana@CANARY-9d1b.example', organization: 'CANARY-9d1b Ltd' };

  const anonymous = await identify('visitor', 'anonymous', plain);
  assert.deepEqual([anonymous.status, anonymous.refused?.[0]?.code], [422, 'identify-refused']);
  const pseudonymous = await identify('u-17', 'pseudonymous', plain);
  assert.equal(pseudonymous.accepted, 1);
  const tooMuch = await identify('u-17', 'pseudonymous', mail);
  assert.equal(tooMuch.refused?.[0]?.code, 'identify-personal-data');
  const early = await identify('u-17', 'identified', mail);
  assert.equal(early.refused?.[0]?.code, 'identify-no-consent');
  await journey.call('/v1/t/loopkit/consents', {
    handle: { userId: 'u-17' },
    purpose: 'identifiedAnalytics',
    granted: true,
    notice: { version: '1.0', language: 'en' },
  });
  const identified = await identify('u-17', 'identified', mail);
  assert.equal(identified.accepted, 1);

  const rows = await journey.rows('people', 2);
  assert.deepEqual(
    rows.map((row) => Number(row['mode'])),
    [1, 2],
  );
  assert.ok(rows.every((row) => row['f_signup_date'] === '2025-02' && row['f_plan'] === 'pro'));
  assert.deepEqual(
    rows.map((row) => row['sealed'] === ''),
    [true, false],
  );
  assert.deepEqual(journey.filesWith('CANARY-9d1b'), []);
});

test('the client’s consent calls decide at the server', async () => {
  const { server, key } = journey;
  const client = createClient({
    endpoint: server.url,
    writeKey: key,
    tenant: 'loopkit',
    storage: 'memory',
    ...presets.loopkit,
  });
  const optional = async (): Promise<boolean> => {
    const { delivered } = client.counts();
    client.track('insight_viewed', { insight: 'weekly', useful: true });
    await client.flush();
    return client.counts().delivered > delivered;
  };
  await client.flush();
  const { known, preferences } = client.getConsentStatus();
  assert.equal(known, true);
  assert.equal(preferences['essentialAnalytics'], true);
  assert.equal(preferences['enhancedInsights'], false);
  assert.equal(await optional(), false, 'silence is a no');

  client.setPrivacyPreferences({
    essentialAnalytics: true,
    enhancedInsights: true,
    performanceMonitoring: true,
    errorTracking: false,
    userResearch: false,
  });
  assert.equal(await optional(), true);
  assert.equal(client.getConsentStatus().purposes['enhanced-insights']?.granted, true);
  client.updateConsent('enhancedInsights', false);
  assert.equal(await optional(), false);
  client.updateConsent('enhancedInsights', true);
  assert.equal(await optional(), true);
  client.withdrawConsent();
  assert.equal(await optional(), false);
  assert.equal(client.getConsentStatus().preferences['essentialAnalytics'], true);
  await client.shutdown();
  assert.equal((await journey.rows('insight_events', 2)).length, 2);
});

test('a client that asks nobody is judged all the same, and GPC overrules a yes', async () => {
  const insight = (anonymousId: string) => ({
    type: 'track',
    event: 'insight_viewed',
    anonymousId,
    properties: { insight: 'weekly', model: 'm1' },
  });
  const handle = { anonymousId: 'browser-1' };
  const closed = await journey.batch([insight('browser-1')]);
  assert.deepEqual(closed.dropped, { 'no-consent': 1 });
  const path = '/v1/t/loopkit/consents';
  const preferences = { enhancedInsights: true };
  await journey.call(`${path}/preferences`, { handle, preferences }, {}, 'PUT');
  const open = await journey.batch([insight('browser-1')]);
  assert.equal(open.accepted, 1);
  const signal = await journey.batch([insight('browser-1')], { 'sec-gpc': '1' });
  assert.deepEqual(signal.dropped, { 'signal-gpc': 1 });
  const stranger = await journey.batch([insight('browser-2')], { 'sec-gpc': '1' });
  assert.deepEqual(stranger.dropped, { 'signal-gpc': 1 }, 'from the first byte');
  const essential = await journey.call('/v1/tracks', EVENT, { 'sec-gpc': '1' });
  assert.equal(essential.accepted, 1, 'what the service needs goes on');
  await journey.call(`${path}/withdraw`, { handle });
  const withdrawn = await journey.batch([insight('browser-1')]);
  assert.deepEqual(withdrawn.dropped, { 'no-consent': 1 });
  assert.equal((await journey.rows('insight_events', 3)).length, 3);
});

test('how a purpose stands is what becomes of an event from the same address', async () => {
  const handle = { anonymousId: 'browser-3' };
  const event = { type: 'track', event: 'performance_metric', ...handle, properties: { value: 1 } };
  // The loopback is nowhere: every region's rule holds. The others are of the US and of Germany.
  for (const [ip, granted] of [
    [undefined, false],
    ['8.8.8.8', true],
    ['141.20.1.1', false],
  ] as const) {
    const context = ip === undefined ? {} : { ip };
    const asked = await journey.call('/v1/t/loopkit/consents/status', { handle, context });
    const { purposes } = asked as unknown as { purposes: Record<string, { granted: boolean }> };
    assert.equal(purposes['performance-monitoring']?.granted, granted, ip);
    const sent = await journey.batch([{ ...event, context }]);
    assert.equal(sent.accepted, granted ? 1 : 0, ip);
  }
});

test('an operator sees all of it in the console', { skip: noChromium }, async () => {
  assert.equal(await journey.counted('insight-events', 3), 3);
  await walkConsole(journey, {
    promises: 222,
    open: ['LK-01', 'foundational principles'],
    rows: { 'Enhanced insights': 3, 'User Behavior Patterns': skipCurl ? 1 : 3 },
    drops: [
      'The browser sent Global Privacy Control',
      'Its purpose needs a consent that is not there',
      'No consent to be identified',
      'Personal data in a pseudonymous mode',
    ],
  });
});
