/** The built script in a page that breaks when anything is read that could tell machines apart. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { type Built, buildBundles, GZIP_BYTES_MAX } from './build.ts';
import type { PageClient } from './index.ts';
import { FakeServer, store } from './testing/fake-server.ts';

let folder = '';
let built: Built[] = [];
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'troth-sdk-'));
  built = buildBundles(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36';

/** Lets only the named members be read; any other access is on record, and throws. */
function only(allowed: Record<string, unknown>, name: string, forbidden: string[]): object {
  const refuse = (member: string | symbol): never => {
    forbidden.push(`${name}.${String(member)}`);
    throw new Error(`${name}.${String(member)} was read`);
  };
  return new Proxy(allowed, {
    get: (target, member) =>
      Object.hasOwn(target, member) ? target[String(member)] : refuse(member),
    has: (target, member) => (Object.hasOwn(target, member) ? true : refuse(member)),
    ownKeys: () => refuse('*'),
    getOwnPropertyDescriptor: (_, member) => refuse(member),
  });
}

const FORBIDDEN =
  'screen devicePixelRatio outerWidth innerWidth history matchMedia performance indexedDB caches ' +
  'sessionStorage OffscreenCanvas HTMLCanvasElement WebGLRenderingContext AudioContext ' +
  'OfflineAudioContext RTCPeerConnection speechSynthesis Intl FontFace Notification chrome name';

function openPage(script: string, { dataset = {}, navigator = {}, keepalive = true } = {}) {
  const forbidden: string[] = [];
  const server = new FakeServer();
  const listeners = new Map<string, () => void>();
  const beacons: { url: string; body: string }[] = [];
  const kept = store();
  const listen = (name: string, listener: () => void) => void listeners.set(name, listener);
  const page: Record<string, unknown> = {
    navigator: only(
      {
        userAgent: CHROME,
        userAgentData: undefined,
        globalPrivacyControl: undefined,
        doNotTrack: null,
        sendBeacon: (url: string, body: string) => beacons.push({ url, body }) > 0,
        ...navigator,
      },
      'navigator',
      forbidden,
    ),
    document: only(
      {
        currentScript: { src: 'https://data.example.com/sdk/troth.js', dataset },
        visibilityState: 'hidden',
        addEventListener: listen,
        removeEventListener: () => {},
      },
      'document',
      forbidden,
    ),
    localStorage: kept,
    fetch: server.fetch,
    Request: { prototype: keepalive ? { keepalive: false } : {} },
    addEventListener: listen,
    removeEventListener: () => {},
    crypto,
    TextEncoder,
    AbortController,
    AbortSignal,
    URL,
    structuredClone,
    setTimeout,
    clearTimeout,
  };
  for (const name of FORBIDDEN.split(' ')) {
    Object.defineProperty(page, name, {
      get() {
        forbidden.push(name);
        throw new Error(`${name} was read`);
      },
    });
  }
  const context = createContext(page);
  const before = new Set(Object.getOwnPropertyNames(page));
  runInContext(readFileSync(join(folder, script), 'utf8'), context);
  const globals = Object.getOwnPropertyNames(page).filter((name) => !before.has(name));
  return { page, server, forbidden, listeners, beacons, kept, globals };
}

const DATA = { writeKey: 'wk_page', tenant: 'loopkit' };

test('what a page loads is below 6 KB, compressed', () => {
  for (const { file, gzipBytes } of built) {
    // Of index.js a bundler takes what the page uses.
    if (file !== 'index.js') assert.ok(gzipBytes < GZIP_BYTES_MAX, `${file}: ${gzipBytes} B`);
  }
  assert.deepEqual(
    built.map(({ file }) => file),
    ['index.js', 'troth.js', 'magenta.js'],
  );
});

test('nothing is read that could tell one machine from the next', async () => {
  const { page, server, forbidden, kept, globals } = openPage('troth.js', { dataset: DATA });
  const LoopKit = page['LoopKit'] as PageClient;
  LoopKit.track('page_view', { page: '/dashboard' });
  LoopKit.page('home');
  LoopKit.setPrivacyPreferences({ performanceMonitoring: true, errorTracking: false });
  LoopKit.updateConsent('errorTracking', true);
  LoopKit.identify('user_1');
  LoopKit.getConsentStatus();
  await LoopKit.flush();
  LoopKit.withdrawConsent();
  LoopKit.reset();
  await LoopKit.shutdown(100);
  assert.deepEqual(forbidden, []);
  assert.deepEqual(globals, ['LoopKit'], 'one global is added');
  assert.deepEqual([...kept.kept.keys()], ['troth:loopkit'], 'one entry is kept');
  const [first] = server.events();
  assert.deepEqual(first.context, {
    system: { platform: 'web', browser: 'Chrome', device_type: 'desktop' },
  });
  const origins = new Set(server.sent.map(({ url }) => new URL(url).origin));
  assert.deepEqual([...origins], ['https://data.example.com']);
});

test('the same client serves MAGENTA under its own name, and calls made early are kept', async () => {
  const { page, server, globals } = openPage('magenta.js');
  const magenta = page['magenta'] as PageClient;
  server.purposes['web-analytics'] = { granted: true, required: false, since: null };
  magenta.page('pricing', { path: '/pricing' });
  assert.equal(magenta.getConsentStatus().known, false);
  magenta.configure({ endpoint: 'https://data.example.com', writeKey: 'wk_page' });
  magenta.track('button_pressed', { path: '/', label: 'Try it' });
  await magenta.flush();
  assert.deepEqual(globals, ['magenta']);
  assert.deepEqual(server.names(), ['pricing', 'button_pressed']);
  assert.ok(server.sent.every(({ url }) => url.includes('/v1/t/magenta/')));
});

test('when the page goes away, what may leave leaves as text with the key inside', async () => {
  const { page, server, listeners } = openPage('troth.js', { dataset: DATA });
  const LoopKit = page['LoopKit'] as PageClient;
  LoopKit.track('page_view');
  LoopKit.track('performance');
  listeners.get('pagehide')?.();
  const sent = server.batches().at(-1);
  assert.equal(sent?.request.keepalive, true);
  assert.equal(sent?.request.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.equal(sent?.request.headers['authorization'], undefined);
  assert.equal(sent?.body.writeKey, 'wk_page');
  assert.deepEqual(
    sent?.body.batch.map(({ event }: { event: string }) => event),
    ['page_view'],
    'consent was not known',
  );
  await LoopKit.shutdown(50);
});

test('a browser whose requests end with the page sends a beacon of at most 60 KB', async () => {
  const { page, listeners, beacons } = openPage('troth.js', { dataset: DATA, keepalive: false });
  const LoopKit = page['LoopKit'] as PageClient;
  for (let n = 0; n < 40; n += 1) LoopKit.track('page_view', { page: `/${'x'.repeat(3_000)}` });
  listeners.get('visibilitychange')?.();
  assert.equal(beacons.length, 1);
  const [{ url, body } = { url: '', body: '' }] = beacons;
  assert.equal(url, 'https://data.example.com/v1/t/loopkit/batch');
  assert.ok(Buffer.byteLength(body) <= 60_000 && Buffer.byteLength(body) > 50_000);
  assert.equal(LoopKit.counts().waiting, 40 - JSON.parse(body).batch.length);
  await LoopKit.shutdown(50);
});

test('a browser is named without its version, and phones and tablets are told apart', async () => {
  const seen: string[] = [];
  for (const userAgent of [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/141.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Windows NT 10.0) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
    'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    'Lynx/2.9',
  ]) {
    const { page, server } = openPage('troth.js', { dataset: DATA, navigator: { userAgent } });
    const LoopKit = page['LoopKit'] as PageClient;
    LoopKit.track('page_view');
    await LoopKit.shutdown(50);
    const { browser, device_type } = server.events()[0].context.system;
    seen.push(`${browser} ${device_type}`);
  }
  assert.deepEqual(seen, [
    'Safari mobile',
    'Chrome tablet',
    'Edge desktop',
    'Firefox desktop',
    'other desktop',
  ]);
});
