/** What must answer before the server calls itself ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Foundation } from './foundation.ts';

/** An engine that is there answers in milliseconds; one that is stopped never does. */
const ANSWER_MS = 3_000;

/** Asks the engine, unless an earlier question of ours still waits: silence is not asked twice. */
export function asking(ask: () => PromiseLike<unknown>, withinMs = ANSWER_MS) {
  let open: Promise<boolean> | undefined;
  return async (): Promise<boolean> => {
    open ??= answers(ask()).finally(() => {
      open = undefined;
    });
    const ended = new AbortController();
    try {
      return await Promise.race([open, sleep(withinMs, false, { signal: ended.signal })]);
    } finally {
      ended.abort();
    }
  };
}

const answers = (asked: PromiseLike<unknown>): Promise<boolean> =>
  Promise.resolve(asked).then(
    () => true,
    () => false,
  );

/** Says of each engine whether it answers, within three seconds. */
export function readinessOf({ db, events, keeper }: Pick<Foundation, 'db' | 'events' | 'keeper'>) {
  const parts = {
    postgresql: asking(() => db.sql`select 1`),
    clickhouse: asking(() => events.ping()),
    keeper: asking(() => keeper.call('hello', { listen: false })),
  };
  return async (): Promise<Record<keyof typeof parts, boolean>> => {
    const { postgresql, clickhouse, keeper: keys } = parts;
    const seen = await Promise.all([postgresql(), clickhouse(), keys()]);
    return { postgresql: seen[0], clickhouse: seen[1], keeper: seen[2] };
  };
}
