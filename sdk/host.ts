/**
 * The page around the client, seen through a slit: this type names everything that is ever read.
 *
 * No canvas, fonts, plug-ins, screen, memory, cores, languages or time zone: three words about the
 * machine cannot tell one person from the next. A test fails on any other access.
 */
import type { FetchLike, KeyValueStore, Signals, System } from './model.ts';

type Listen = (name: string, listener: () => void, until: { signal: AbortSignal }) => void;

type Host = {
  navigator?: {
    userAgent?: string;
    userAgentData?: { brands?: readonly { brand: string }[]; mobile?: boolean };
    globalPrivacyControl?: unknown;
    doNotTrack?: unknown;
    sendBeacon?: (url: string, body: string) => boolean;
  };
  document?: {
    visibilityState?: string;
    addEventListener: Listen;
  };
  localStorage?: KeyValueStore;
  fetch?: FetchLike;
  Request?: { prototype: object };
  addEventListener?: Listen;
};

const host = globalThis as unknown as Host;

/** Reads the signals anew each time, since a person may switch them while the page is open. */
export function readSignals(): Signals {
  const navigator = host.navigator;
  const dnt = navigator?.doNotTrack;
  return {
    gpc: navigator?.globalPrivacyControl === true || navigator?.globalPrivacyControl === '1',
    dnt: dnt === '1' || dnt === 'yes' || dnt === true,
  };
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg/, 'Edge'],
  [/OPR|Opera/, 'Opera'],
  [/Firefox|FxiOS/, 'Firefox'],
  [/Chrom|CriOS/, 'Chrome'],
  [/Safari/, 'Safari'],
];

/** Platform, browser's name without a version, and class of device. */
export function readSystem(): System {
  if (!host.document) return { platform: 'server', browser: 'none', device_type: 'server' };
  const { userAgent = '', userAgentData: hints } = host.navigator ?? {};
  const names = hints?.brands?.map(({ brand }) => brand).join() || userAgent;
  const mobile = hints?.mobile ?? /Mobi|iPhone/.test(userAgent);
  const tablet = /iPad|Tablet|Android(?!.*Mobi)/.test(userAgent);
  return {
    platform: 'web',
    browser: BROWSERS.find(([pattern]) => pattern.test(names))?.[1] ?? 'other',
    device_type: tablet ? 'tablet' : mobile ? 'mobile' : 'desktop',
  };
}

/** Keeps nothing beyond the page. */
export function memoryStore(): KeyValueStore {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
}

/** The page's own store; a page in a sandbox, or one without room, gets memory. */
export function openStore(): KeyValueStore {
  try {
    // Node has a localStorage too, which warns when it is touched, and would be everybody's.
    const store = host.document && host.localStorage;
    if (store) {
      store.setItem('troth', '1');
      store.removeItem('troth');
      return store;
    }
  } catch {
    // Reading the property alone throws where storage is forbidden.
  }
  return memoryStore();
}

/** 128 random bits in hexadecimal; also on pages without TLS, where randomUUID is missing. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
}

/** Called through the page's object each time, so that what the page puts in its place is used. */
export const pageFetch: FetchLike = (url, request) =>
  host.fetch ? host.fetch(url, request) : Promise.reject();

/** Whether a request can outlive the page; asked of the prototype, so that none is made. */
export const canOutlive = () => host.Request !== undefined && 'keepalive' in host.Request.prototype;

export function beacon(url: string, body: string): boolean {
  return host.navigator?.sendBeacon?.(url, body) ?? false;
}

/** Calls when the page goes away or behind; phones often say only the latter. */
export function whenHidden(leave: () => void): () => void {
  const { document } = host;
  if (!document || !host.addEventListener) return () => {};
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave();
  };
  const stop = new AbortController();
  host.addEventListener('pagehide', leave, stop);
  document.addEventListener('visibilitychange', hidden, stop);
  return () => stop.abort();
}
