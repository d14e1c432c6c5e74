/**
 * History, and nothing else: a URL is the whole state of a screen, so that it can be shared and
 * that back always works. A new path opens a screen; a new query only filters the open one.
 */
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

export function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener('popstate', tell);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener('popstate', tell);
  };
}

/** Goes to a path of this console; a click with a modifier key is left to the browser. */
export function go(to: string): void {
  if (to === location.pathname + location.search) return;
  history.pushState(null, '', to);
  scrollTo(0, 0);
  tell();
}

const search = () => location.search;

/** The query of the URL as fields; setting one replaces the entry in the history. */
export function useQuery(): [URLSearchParams, (changes: Record<string, string | null>) => void] {
  const query = new URLSearchParams(useSyncExternalStore(subscribe, search));
  const change = (changes: Record<string, string | null>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const text = next.toString();
    history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''));
    tell();
  };
  return [query, change];
}
