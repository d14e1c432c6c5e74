/** One search of the disk for all proofs that ask for one at about the same time. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteLook } from '#core/looking';
import { openByteScan } from '#platform/bytes';

/** Proofs of one round reach their search within about this time of one another. */
const GATHER_MS = 300;

const NAMED = {
  postgresql: ['postgres'],
  clickhouse: ['clickhouse'],
  objects: ['objects'],
  logs: ['log', 'logs', 'keeper.log'],
} as const;
type Store = ByteLook['stores'][number]['store'];

type Waiting = {
  readonly patterns: readonly Uint8Array[];
  readonly resolve: (look: ByteLook) => void;
  readonly reject: (error: unknown) => void;
};

/** Everything in the data directory that is of no named store. */
async function elsewhere(dataDir: string): Promise<string[]> {
  const known = new Set<string>(Object.values(NAMED).flat());
  const names = await readdir(dataDir);
  return names.filter((name) => !known.has(name)).map((name) => join(dataDir, name));
}

async function searchFor(dataDir: string, patterns: readonly Uint8Array[]): Promise<ByteLook> {
  const named = Object.entries(NAMED).map(([store, names]) => [
    store,
    names.map((name) => join(dataDir, name)),
  ]);
  const roots = { ...Object.fromEntries(named), elsewhere: await elsewhere(dataDir) };
  const { stores } = await openByteScan({ roots }).scan(patterns);
  return {
    stores: stores.map(({ store, files, bytes, unreadable, missing, counts }) => ({
      store: store as Store,
      files,
      bytes,
      counts,
      whole: unreadable.length === 0 && !missing,
    })),
  };
}

/**
 * Opens the search of one data directory. Who asks while a search runs is answered by the next: it
 * began after their bytes were written.
 */
export function openByteSearch(dataDir: string) {
  let waiting: Waiting[] = [];
  let running = false;

  async function serve(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      await sleep(GATHER_MS);
      const now = waiting;
      waiting = [];
      try {
        const all = await searchFor(
          dataDir,
          now.flatMap(({ patterns }) => patterns),
        );
        let from = 0;
        for (const { patterns, resolve } of now) {
          const to = from + patterns.length;
          const [first, last] = [from, to];
          resolve({
            stores: all.stores.map((one) => ({ ...one, counts: one.counts.slice(first, last) })),
          });
          from = to;
        }
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    running = false;
  }

  return (patterns: readonly Uint8Array[]): Promise<ByteLook> =>
    new Promise((resolve, reject) => {
      waiting.push({ patterns, resolve, reject });
      if (!running) void serve();
    });
}
