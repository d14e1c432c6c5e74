/**
 * Refusals at the doors that strangers knock at, grouped.
 *
 * A refusal costs a stranger nothing and an entry costs us a row that is never deleted, a leaf of
 * the tree and a place on the disk that acknowledged events need as well. So the first refusal of a
 * kind is written before its answer; those that follow within a minute are counted, answered at
 * once, and written as one entry with their number when the minute is over. What such a number
 * leaves out is the moment of each within its minute; a crash loses at most one minute of counts,
 * and never the fact that the kind occurred. Browser keys are in the hands of everybody, so a known
 * key changes none of this; each has groups of its own.
 *
 * The kinds are few: a tenant that exists, a stranger or a genuine key, an action, a code. Nothing
 * that a sender chooses makes a new one.
 */
import type { Clock } from '#base/clock';
import type { Database } from '#platform/database';
import type { Refusal } from './model.ts';
import { recordRefusal } from './store.ts';

export type RefusalLog = {
  /** Resolves when it is durable; `undefined` when it was counted and nothing has to be awaited. */
  record(refusal: Omit<Refusal, 'now' | 'count'>): Promise<void> | undefined;
  /** Writes what was counted in windows that are over; all of them when told so. */
  flush(all?: boolean): Promise<void>;
  close(): Promise<void>;
};

type Kind = Omit<Refusal, 'now' | 'count'>;
type Window = { readonly kind: Kind; since: number; counted: number };

const WINDOW_MS = 60_000;
const FLUSH_EVERY_MS = 5_000;

const nameOf = ({ tenant, actor, action, code, subject }: Kind) =>
  [tenant, actor.kind, actor.id, action, code, subject].join(' ');

export function openRefusals(db: Pick<Database, 'sql'>, clock: Clock): RefusalLog {
  const windows = new Map<string, Window>();

  async function write(window: Window): Promise<void> {
    const count = window.counted;
    window.counted = 0;
    try {
      await recordRefusal(db, { ...window.kind, count, now: clock.now() });
    } catch (error) {
      // They are still to be told, with the next of their kind.
      window.counted += count;
      throw error;
    }
  }

  async function flush(all = false): Promise<void> {
    const before = clock.now().getTime() - WINDOW_MS;
    for (const [name, window] of windows) {
      if (!all && window.since > before) continue;
      if (window.counted > 0) await write(window);
      // Counted meanwhile: it stays for the next turn.
      if (window.counted === 0) windows.delete(name);
    }
  }

  const timer = setInterval(() => void flush().catch(() => undefined), FLUSH_EVERY_MS);
  timer.unref();
  return {
    record(kind) {
      const name = nameOf(kind);
      const now = clock.now().getTime();
      const window = windows.get(name) ?? { kind, since: -WINDOW_MS, counted: 0 };
      windows.set(name, window);
      window.counted += 1;
      if (now - window.since < WINDOW_MS) return undefined;
      window.since = now;
      return write(window);
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush(true).catch(() => undefined);
    },
  };
}
