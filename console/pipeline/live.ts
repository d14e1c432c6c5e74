/** The live figures of one service: a store that React subscribes to while the screen is shown. */
import { useSyncExternalStore } from 'react';
import type { Pipeline } from '#console/api.ts';

export type Live = { pipeline: Pipeline; connected: boolean };
type Store = { subscribe(listener: () => void): () => void; read(): Live };

const stores = new WeakMap<Pipeline, Store>();

function open(address: string, first: Pipeline): Store {
  let live: Live = { pipeline: first, connected: true };
  const listeners = new Set<() => void>();
  let source: EventSource | null = null;
  const set = (next: Live) => {
    live = next;
    for (const listener of listeners) listener();
  };
  const start = () => {
    source = new EventSource(address);
    source.addEventListener('pipeline', (event) =>
      set({ pipeline: JSON.parse(event.data) as Pipeline, connected: true }),
    );
    source.onerror = () => set({ ...live, connected: false });
  };
  return {
    read: () => live,
    subscribe(listener) {
      listeners.add(listener);
      if (!source) start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        source?.close();
        source = null;
      };
    },
  };
}

/** Starts from the answer that the screen was loaded with, and follows the stream from there. */
export function useLive(address: string, first: Pipeline): Live {
  const store = stores.get(first) ?? open(address, first);
  stores.set(first, store);
  return useSyncExternalStore(store.subscribe, store.read);
}
