/**
 * A page of a browser, as far as a client library can tell: it runs the file that the server hands
 * out, in a world of its own, and notes everything that the library reaches for. Only its network
 * is real.
 */
import vm from 'node:vm';
import type { Page, PageOptions, PageRequest, Told } from '#core/looking';

type Given = {
  /** Of the server. */
  readonly url: string;
  readonly writeKey: string;
  readonly get: (path: string) => Promise<Told>;
  readonly signal: AbortSignal;
  /** Told of every event that the page sends. */
  readonly note: (messageId: string) => Promise<void>;
};

const SITE = 'https://canary.example';
const DESKTOP =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

/** Notes each member that is read, written or asked for, and gives what is there. */
function watched<Thing extends object>(thing: Thing, name: string, touched: Set<string>): Thing {
  const note = (member: string | symbol) => {
    if (typeof member === 'string') touched.add(`${name}.${member}`);
  };
  return new Proxy(thing, {
    get(target, member) {
      note(member);
      const value: unknown = Reflect.get(target, member);
      return typeof value === 'function' ? (value as () => void).bind(target) : value;
    },
    set(target, member, value) {
      note(member);
      return Reflect.set(target, member, value);
    },
    has(target, member) {
      note(member);
      return Reflect.has(target, member);
    },
  });
}

function storageOf(kept: Map<string, string>) {
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, String(value)),
    removeItem: (name: string) => void kept.delete(name),
  };
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

type Request = { method?: string; body?: string; headers?: Record<string, string> };

/** The page's `fetch`: the real one, with every request kept. */
function networkOf({ signal, note }: Given, { site = SITE }: PageOptions, requests: PageRequest[]) {
  return async (url: string, { method = 'GET', body, headers = {} }: Request = {}) => {
    const sent = parsed(body);
    const made = { url, method, body: sent, status: 0, json: undefined as unknown, cookies: 0 };
    requests.push(made);
    for (const one of (sent as { batch?: { messageId?: string }[] } | undefined)?.batch ?? [])
      if (one.messageId) await note(one.messageId);
    const init = {
      method,
      headers: { ...headers, origin: site },
      ...(body === undefined ? {} : { body }),
    };
    const answer = await fetch(url, { ...init, redirect: 'error', signal });
    const text = await answer.text();
    const cookies = answer.headers.getSetCookie().length;
    Object.assign(made, { status: answer.status, json: parsed(text), cookies });
    return { status: answer.status, headers: answer.headers, text: async () => text };
  };
}

/** The clock is the world's own, so it is set, and watched, from inside. */
const WATCH_CLOCK = `(laterMs, note) => {
  const { now } = Date;
  Date.now = () => now() + laterMs;
  const { getTimezoneOffset } = Date.prototype;
  Date.prototype.getTimezoneOffset = function () {
    note();
    return getTimezoneOffset.call(this);
  };
}`;
type WatchClock = (laterMs: number, note: () => void) => void;

/** What surrounds the library: the objects of a page, each behind a watch. */
function worldOf(given: Given, options: PageOptions, made: Made) {
  const { touched, requests, kept } = made;
  const { userAgent = DESKTOP } = options;
  const dataset = { writeKey: given.writeKey, ...options.dataset };
  const script = { src: new URL(`/sdk/${options.file}`, given.url).href, dataset };
  const document = {
    currentScript: script,
    visibilityState: 'visible',
    cookie: '',
    referrer: '',
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    createElement: () => ({}),
  };
  const navigator = { userAgent, doNotTrack: null, languages: ['en'], plugins: [] };
  const see = <Thing extends object>(thing: Thing, name: string) => watched(thing, name, touched);
  return {
    navigator: see({ ...navigator, ...options.navigator }, 'navigator'),
    document: see(document, 'document'),
    localStorage: see(storageOf(kept), 'localStorage'),
    sessionStorage: see(storageOf(new Map()), 'sessionStorage'),
    Intl: see(Intl, 'Intl'),
    performance: see({ now: () => performance.now() }, 'performance'),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    fetch: networkOf(given, options, requests),
    Request: class {
      get keepalive() {
        return false;
      }
    },
    crypto,
    URL,
    TextEncoder,
    AbortController,
    AbortSignal,
    setTimeout,
    clearTimeout,
    structuredClone,
  };
}

/** What pages of this world do not have; whoever asks for one is noted all the same. */
const ELSEWHERE = `screen devicePixelRatio innerWidth innerHeight outerWidth outerHeight matchMedia
  visualViewport location history name opener parent top frames AudioContext webkitAudioContext
  OfflineAudioContext OffscreenCanvas HTMLCanvasElement CanvasRenderingContext2D
  WebGLRenderingContext WebGL2RenderingContext RTCPeerConnection speechSynthesis SpeechSynthesis
  FontFace queryLocalFonts DeviceMotionEvent DeviceOrientationEvent Accelerometer Gyroscope
  indexedDB caches cookieStore openDatabase SharedWorker Worker BroadcastChannel WebSocket
  XMLHttpRequest EventSource Image GPU WebAssembly PaymentRequest Notification chrome`;

function noteAbsent(globals: object, touched: Set<string>): void {
  for (const name of ELSEWHERE.split(/\s+/)) {
    const get = () => void touched.add(`window.${name}`);
    Object.defineProperty(globals, name, { get, set: get, configurable: true });
  }
}

type Made = {
  readonly touched: Set<string>;
  readonly requests: PageRequest[];
  readonly kept: Map<string, string>;
};

/**
 * Opens a page and lets it load a library of the server.
 *
 * @throws Error when the server hands out no such file, or the library makes no global.
 */
export async function openPage(given: Given, options: PageOptions): Promise<Page> {
  const served = await given.get(`/sdk/${options.file}`);
  if (served.status !== 200) throw new Error('the library is not served');
  const kept = options.stored ?? new Map<string, string>();
  const made: Made = { touched: new Set(), requests: [], kept };
  const globals: object = worldOf(given, options, made);
  noteAbsent(globals, made.touched);
  const context = vm.createContext(globals);
  const watchClock = vm.runInContext(WATCH_CLOCK, context) as WatchClock;
  watchClock(options.laterMs ?? 0, () => void made.touched.add('Date.getTimezoneOffset'));
  const before = new Set(Object.keys(globals));
  vm.runInContext(served.text, context, { timeout: 5_000 });
  const name = Object.keys(globals).find((one) => !before.has(one));
  if (name === undefined) throw new Error('the library made no global');
  const ready = (globals as Record<string, unknown>)[name] as Page['client'];
  return {
    name,
    client: ready,
    requests: made.requests,
    touched: made.touched,
    stored: kept,
    source: served.text,
    run: (script) => vm.runInContext(script, context, { timeout: 5_000 }) as unknown,
  };
}
