/**
 * Watches, for as long as proofs look, whether the server calls itself ready: what was seen of one
 * that is not, as while an engine is away, is about that and says nothing of a promise.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 1_000;
/** The server itself takes three seconds to find that an engine is silent. */
const ANSWER_MS = 5_000;

export type ReadinessWatch = {
  /** Whether it was unready at any look since then, or is now. @param since  `performance.now()` */
  unreadySince(since: number): Promise<boolean>;
  close(): void;
};

/** Begins to look, once a second. @param url  of the server. */
export function watchReadiness(url: string): ReadinessWatch {
  const closing = new AbortController();
  let lastUnready = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    const isReady = await answersReady(new URL('/readyz', url), closing.signal);
    if (!isReady) lastUnready = performance.now();
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      await look();
      await sleep(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  void watch();
  return {
    async unreadySince(since) {
      await look();
      return lastUnready > since;
    },
    close: () => closing.abort(),
  };
}

async function answersReady(url: URL, signal: AbortSignal): Promise<boolean> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const answer = await fetch(url, { signal: within });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}
