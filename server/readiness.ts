/** What must answer before the server calls itself ready. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** About as much as an engine asks for at once when it has to grow. */
const ROOM = Buffer.alloc(256 * 1_024);

async function writeSome(directory: string): Promise<void> {
  const file = join(directory, 'room.tmp');
  try {
    await writeFile(file, ROOM, { mode: 0o600 });
  } finally {
    await rm(file, { force: true });
  }
}

type Given = Pick<Foundation, 'db' | 'events' | 'keeper'> & { readonly dataDir: string };

/** Says of each engine whether it answers, and whether the disk takes anything, in three seconds. */
export function readinessOf({ db, events, keeper, dataDir }: Given) {
  const parts = {
    postgresql: asking(() => db.sql`select 1`),
    clickhouse: asking(() => events.ping()),
    keeper: asking(() => keeper.call('hello', { listen: false })),
    disk: asking(() => writeSome(dataDir)),
  };
  return async (): Promise<Record<keyof typeof parts, boolean>> => {
    const names = Object.keys(parts) as (keyof typeof parts)[];
    const seen = await Promise.all(names.map(async (name) => [name, await parts[name]()] as const));
    return Object.fromEntries(seen) as Record<keyof typeof parts, boolean>;
  };
}
