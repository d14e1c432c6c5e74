import type { Clock } from '#base/clock';
import { Word } from '#base/ids';
import { type Database, logThrown } from '#platform/database';
import type { Log } from '#platform/log';
import { forgetMinutes, noteMinute, readMeasured } from './store.ts';

const MINUTE_MS = 60_000;
const ASK_EVERY_MS = 30_000;
const ANSWER_MS = 5_000;
/** Over how long availability is published. */
const WINDOW_DAYS = 30;
const DAY_MS = 86_400_000;

export type Published = {
  /** ISO 8601: the first minute that counts, at most thirty days ago; null before there is one. */
  readonly since: string | null;
  /** Minutes from then until now, whether or not anybody was there to ask. */
  readonly minutes: number;
  readonly ready: number;
  /** The share of the two, in percent with three digits. */
  readonly percent: number | null;
};

export type Availability = {
  published(): Promise<Published>;
  close(): Promise<void>;
};

type Options = {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** `/readyz` of this server, over its socket. */
  readonly ask: string;
};

async function isReady(address: string): Promise<boolean> {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Asks at once and twice a minute from then on; each answer is noted. */
export async function openAvailability({ db, clock, log, ask }: Options): Promise<Availability> {
  async function note(): Promise<void> {
    try {
      const now = clock.now();
      await noteMinute(db, now, await isReady(ask));
      await forgetMinutes(db, new Date(now.getTime() - 2 * WINDOW_DAYS * DAY_MS));
    } catch (error) {
      // What was not noted counts as not available.
      logThrown(log, Word('availability.note'), error);
    }
  }

  await note();
  let noting = Promise.resolve();
  const timer = setInterval(() => {
    noting = noting.then(note);
  }, ASK_EVERY_MS);
  timer.unref();
  return {
    async published() {
      const now = clock.now().getTime();
      const { since, ready } = await readMeasured(db, new Date(now - WINDOW_DAYS * DAY_MS));
      if (since === null) return { since, minutes: 0, ready: 0, percent: null };
      const minutes = Math.floor((now - since.getTime()) / MINUTE_MS) + 1;
      const percent = Math.round((100_000 * ready) / minutes) / 1_000;
      return { since: since.toISOString(), minutes, ready, percent };
    },
    async close() {
      clearInterval(timer);
      await noting;
    },
  };
}
