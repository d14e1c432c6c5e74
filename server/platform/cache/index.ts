/**
 * A cache that may forget at any time: limits, look-ups, fan-out state. In process, bounded; an
 * adapter for several servers must pass `contract.ts`.
 *
 * Nothing is kept only here, and no key or value may be a person's: keys begin with the tenant's
 * prefix, and values are counts and opaque words.
 */
import type { Clock } from '#base/clock';

export type Cache = {
  get(key: string): Promise<string | undefined>;
  /** @param ttlMs  after this the entry is gone; more than 0. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Adds to a counter that ends `ttlMs` after its first count; returns the new value. */
  add(key: string, amount: number, ttlMs: number): Promise<number>;
  remove(key: string): Promise<void>;
  /** Forgets everything of one tenant. */
  removeAll(prefix: string): Promise<void>;
};

type Entry = { value: string; until: number };

const ENTRIES_MAX = 100_000;

/** @param entriesMax  beyond this the oldest entry is forgotten. */
export function openLocalCache(clock: Clock, { entriesMax = ENTRIES_MAX } = {}): Cache {
  // A Map keeps the order of insertion, so its first key is the oldest.
  const entries = new Map<string, Entry>();

  function alive(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry && entry.until <= clock.now().getTime()) {
      entries.delete(key);
      return undefined;
    }
    return entry;
  }

  function put(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size <= entriesMax) return;
    const oldest = entries.keys().next().value;
    if (oldest !== undefined) entries.delete(oldest);
  }

  const endOf = (ttlMs: number) => {
    if (!(ttlMs > 0)) throw new RangeError('an entry lives longer than no time');
    return clock.now().getTime() + ttlMs;
  };

  return {
    get: async (key) => alive(key)?.value,
    set: async (key, value, ttlMs) => put(key, { value, until: endOf(ttlMs) }),
    async add(key, amount, ttlMs) {
      const found = alive(key);
      const value = Number(found?.value ?? 0) + amount;
      put(key, { value: String(value), until: found?.until ?? endOf(ttlMs) });
      return value;
    },
    remove: async (key) => void entries.delete(key),
    async removeAll(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
