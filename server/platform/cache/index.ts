/**
 * A cache that may forget at any time: limits, look-ups, fan-out state. In process, bounded; an
 * adapter for several servers must pass `contract.ts`.
 *
 * Nothing is kept only here, and no key or value may be a person's: values are counts and opaque
 * words. Every key begins with its tenant's prefix, `acme:`, and a key without one is refused; a
 * tenant's work is handed `scopedCache`, which reaches no other prefix.
 */
import type { Clock } from '#base/clock';
import type { TenantId } from '#base/ids';

export type Cache = {
  get(key: string): Promise<string | undefined>;
  /** @param ttlMs  after this the entry is gone; more than 0. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Adds to a counter that ends `ttlMs` after its first count; returns the new value. */
  add(key: string, amount: number, ttlMs: number): Promise<number>;
  remove(key: string): Promise<void>;
  /** Forgets everything of one tenant. */
  removeAll(prefix: string): Promise<void>;
  /** Keys that begin with `prefix` and have not ended, in no order; all of them for ''. */
  keys(prefix: string): AsyncIterable<string>;
};

type Entry = { value: string; until: number };

const ENTRIES_MAX = 100_000;
const VALUE_CHARACTERS_MAX = 4_096;
const TTL_MS_MAX = 24 * 3_600_000;
/** Entries that ended are dropped when asked for, and all of them at most this often. */
const SWEEP_MS = 60_000;
const KEY = /^[a-z][a-z0-9-]{1,30}:[A-Za-z0-9._:-]{1,200}$/;

/** @throws RangeError for a key without a tenant's prefix, or with other signs than words have. */
export function checkCacheKey(key: string): string {
  if (!KEY.test(key)) throw new RangeError("a key is a tenant's prefix and words after it");
  return key;
}

/** The part of a cache that one tenant sees: its keys are written without the prefix. */
export function scopedCache(cache: Cache, tenant: TenantId): Omit<Cache, 'removeAll'> {
  const prefix = `${tenant}:`;
  const inside = (key: string) => checkCacheKey(`${prefix}${key}`);
  return {
    get: async (key) => cache.get(inside(key)),
    set: async (key, value, ttlMs) => cache.set(inside(key), value, ttlMs),
    add: async (key, amount, ttlMs) => cache.add(inside(key), amount, ttlMs),
    remove: async (key) => cache.remove(inside(key)),
    async *keys(within) {
      for await (const key of cache.keys(`${prefix}${within}`)) yield key.slice(prefix.length);
    },
  };
}

/** @param entriesMax  beyond this the oldest entry is forgotten. */
export function openLocalCache(clock: Clock, { entriesMax = ENTRIES_MAX } = {}): Cache {
  // A Map keeps the order of insertion, so its first key is the oldest.
  const entries = new Map<string, Entry>();
  let sweptAt = clock.now().getTime();

  function alive(key: string, now: number): Entry | undefined {
    const entry = entries.get(checkCacheKey(key));
    if (entry && entry.until <= now) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  }

  function sweep(now: number): void {
    if (now - sweptAt < SWEEP_MS) return;
    sweptAt = now;
    for (const [key, { until }] of entries) if (until <= now) entries.delete(key);
  }

  function put(key: string, entry: Entry, now: number): void {
    if (entry.value.length > VALUE_CHARACTERS_MAX) throw new RangeError('the value is too long');
    sweep(now);
    entries.delete(checkCacheKey(key));
    entries.set(key, entry);
    if (entries.size <= entriesMax) return;
    const oldest = entries.keys().next().value;
    if (oldest !== undefined) entries.delete(oldest);
  }

  const endOf = (ttlMs: number, now: number) => {
    if (!(ttlMs > 0 && ttlMs <= TTL_MS_MAX)) throw new RangeError('an entry lives up to a day');
    return now + ttlMs;
  };
  const time = () => clock.now().getTime();

  return {
    get: async (key) => alive(key, time())?.value,
    async set(key, value, ttlMs) {
      const now = time();
      put(key, { value, until: endOf(ttlMs, now) }, now);
    },
    async add(key, amount, ttlMs) {
      const now = time();
      const found = alive(key, now);
      const until = found?.until ?? endOf(ttlMs, now);
      const value = Number(found?.value ?? 0) + amount;
      put(key, { value: String(value), until }, now);
      return value;
    },
    remove: async (key) => void entries.delete(checkCacheKey(key)),
    async removeAll(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
    async *keys(prefix) {
      const now = time();
      for (const [key, { until }] of entries) {
        if (until > now && key.startsWith(prefix)) yield key;
      }
    },
  };
}
