/**
 * MAGENTA: a customer's page loads magenta.js from here, and its server sends events as Segment's
 * libraries do. Where somebody is comes from the address and is then forgotten; a referrer is an
 * origin.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { noChromium, openChromium, walkConsole } from '#testing/console-walk';
import { type Journey, startJourney } from '#testing/journey';

const CANARY = 'CANARY-page-2c7e';

let journey: Journey;
let shop: Server;
before(async () => {
  journey = await startJourney('magenta');
  const page =
    '<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">' +
    `<script src="${journey.server.url}/sdk/magenta.js" data-write-key="${journey.browserKey}">` +
    '</script><h1>Shop</h1>';
  shop = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(page);
  });
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  shop?.close();
  shop?.closeAllConnections();
  await journey?.stop();
});

type Magenta = {
  track(event: string, properties: object): void;
  page(name?: string, properties?: object): void;
  flush(): Promise<boolean>;
  counts(): { waiting: number; delivered: number; dropped: object };
};
declare const magenta: Magenta;

test('a page with magenta.js delivers what it tracks', { skip: noChromium }, async () => {
  const browser = await openChromium();
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked = new Set<string>();
    const complaints: string[] = [];
    page.on('request', (request) => asked.add(new URL(request.url()).origin));
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
    const { port } = shop.address() as AddressInfo;
    const origin = `http://localhost:${port}`;
    await page.goto(`${origin}/?campaign=${CANARY}`);
    const counts = await page.evaluate(async () => {
      magenta.track('button_pressed', { path: '/pricing?mail=CANARY-page-2c7e', label: 'Try it' });
      magenta.track('page_load', { page_load_ms: 412, path: '/pricing#CANARY-page-2c7e' });
      magenta.page('Pricing', { path: '/pricing', title: 'Pricing' });
      for (let tries = 0; tries < 20 && magenta.counts().waiting > 0; tries += 1) {
        await magenta.flush();
      }
      return magenta.counts();
    });
    assert.deepEqual(counts, { waiting: 0, delivered: 3, dropped: {} });
    assert.deepEqual([...asked].sort(), [origin, journey.server.url].sort(), 'no third party');
    assert.deepEqual(complaints, []);
    assert.deepEqual(await context.cookies(), [], 'and no cookie');
  } finally {
    await browser.close();
  }
  const rows = await journey.rows('analytics_events', 2);
  assert.deepEqual(rows.map((row) => row['f_path']).sort(), ['/pricing', '/pricing']);
  assert.ok(
    rows.every((row) => row['country'] === ''),
    'of a loopback address nothing is known',
  );
  assert.ok(rows.every((row) => row['device'] === 'desktop' && row['browser'] !== ''));
  const [load = {}] = await journey.rows('performance_metrics', 1);
  assert.deepEqual([load['f_page_load_ms'], load['f_path']], [412, '/pricing']);
  assert.deepEqual(journey.filesWith(CANARY), []);
});

const view = (n: number, context: object = {}) => ({
  type: 'page',
  messageId: `view-${n}-${JSON.stringify(context).length}`,
  userId: `customer-${n}`,
  anonymousId: `browser-${n}`,
  context: {
    ip: '8.8.8.8',
    timezone: 'Asia/Tokyo',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    page: {
      path: '/docs',
      url: `https://shop.example/docs?session=${CANARY}`,
      referrer: `https://News.example:8443/story/${CANARY}?reader=${CANARY}`,
    },
    ...context,
  },
});

const latest = async (customer: number): Promise<Record<string, unknown>> => {
  const seen = (await journey.rows('analytics_events', 0)).length;
  const sent = await journey.call('/v1/batch', { batch: [view(customer)] });
  assert.equal(sent.accepted, 1);
  return (await journey.rows('analytics_events', seen + 1)).at(-1) ?? {};
};

test('the country and the offset stay; the address, the zone and the referrer’s path go', async () => {
  const row = await latest(1);
  assert.equal(row['country'], 'US');
  assert.equal(Number(row['f_utc_offset_minutes']), 540);
  assert.equal(row['f_referrer_origin'], 'https://news.example:8443');
  assert.equal(row['f_path'], '/docs');
  for (const text of ['8.8.8.8', 'Asia/Tokyo', CANARY, 'customer-1']) {
    assert.deepEqual(journey.filesWith(text), [], text);
  }
  assert.notDeepEqual(journey.filesWith('https://news.example:8443'), [], 'the scan finds it');
});

test('a referrer sent as a field is cut to its origin too', async () => {
  const seen = (await journey.rows('analytics_events', 0)).length;
  await journey.batch([
    {
      type: 'track',
      event: 'link_followed',
      userId: 'customer-2',
      properties: { path: '/docs', referrer_origin: `https://news.example/story/${CANARY}` },
    },
  ]);
  const row = (await journey.rows('analytics_events', seen + 1)).at(-1) ?? {};
  assert.equal(row['f_referrer_origin'], 'https://news.example');
  assert.deepEqual(journey.filesWith(CANARY), []);
});

test('the customer switches off what the policy lets be switched, and nothing else', async () => {
  const put = (name: string, enabled: boolean) =>
    journey.asOperator<object>(`enrichments/${name}`, { enabled });
  const { port } = new URL(journey.server.url);
  const stranger = await fetch(`http://localhost:${port}/v1/t/magenta/enrichments/geolocation`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"enabled":false}',
  });
  assert.equal(stranger.status, 401, 'a stranger switches nothing');
  for (const name of ['geolocation', 'device', 'session', 'referrer']) await put(name, false);
  await assert.rejects(put('time-zone', false), /409/);
  const off = await latest(3);
  assert.deepEqual([off['country'], off['device'], off['browser']], ['', '', '']);
  assert.deepEqual([Number(off['session']), off['f_referrer_origin']], [0, '']);
  assert.equal(Number(off['f_utc_offset_minutes']), 540, 'time zones cannot be switched off');
  for (const name of ['geolocation', 'device', 'session', 'referrer']) await put(name, true);
  const on = await latest(4);
  assert.deepEqual([on['country'], on['f_referrer_origin']], ['US', 'https://news.example:8443']);
  assert.ok(on['device'] !== '' && Number(on['session']) !== 0);
});

test('a profile that a customer sends is sealed, and an error’s message is cleaned', async () => {
  await journey.call('/v1/identify', {
    userId: 'customer-5',
    traits: { email: `dana@${CANARY}.example`, name: CANARY, plan: 'team', hobby: CANARY },
  });
  await journey.call('/v1/track', {
    event: 'error_log',
    userId: 'customer-5',
    properties: { code: 'E7', severity: 'error', message: `${CANARY} at +1 310 907 6310` },
  });
  const [profile = {}] = await journey.rows('profiles', 1);
  assert.equal(profile['f_plan'], 'team');
  assert.notEqual(profile['sealed'], '');
  const [error = {}] = await journey.rows('error_logs', 1);
  assert.notEqual(error['sealed'], '');
  assert.deepEqual(journey.filesWith(CANARY), []);
});

test('an operator sees all of it in the console', { skip: noChromium }, async () => {
  const events = (await journey.rows('analytics_events', 0)).length;
  const unknown = await journey.batch([{ type: 'track', event: '', userId: 'customer-6' }]);
  assert.equal(unknown.status, 422);
  assert.equal(await journey.counted('analytics-events', events), events);
  await walkConsole(journey, {
    promises: 134,
    open: ['MG-01', 'Transparent data handling'],
    rows: { 'Analytics Events': events, 'Error Logs': 1 },
    drops: [
      'The event was not of the shape it must have',
      'Fields cut: the policy does not declare them',
    ],
  });
});
