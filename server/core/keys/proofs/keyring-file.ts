import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const ATTEMPTS = 8;
const AGAIN_MS = 150;
/** More keys than this are not counted one by one: the answer then says of how many it speaks. */
export const KEYS_MAX = 500_000;

export type KeyringFile = {
  get<Row>(sql: string, ...values: (string | number | Uint8Array)[]): Row | undefined;
  all<Row>(sql: string, ...values: (string | number | Uint8Array)[]): Row[];
};

/**
 * Reads the keyring's own file beside the keeper, which holds it locked: as bytes that nobody
 * changes. When the keeper did change them meanwhile the file may look torn, so it is tried again.
 */
export async function readKeyring<T>(folder: string, read: (file: KeyringFile) => T): Promise<T> {
  const url = pathToFileURL(join(folder, 'keyring.sqlite'));
  url.searchParams.set('immutable', '1');
  for (let attempt = 1; ; attempt++) {
    let db: DatabaseSync | undefined;
    try {
      const open = new DatabaseSync(url, { readOnly: true });
      db = open;
      return read({
        get: (sql, ...values) => open.prepare(sql).get(...values) as never,
        all: (sql, ...values) => open.prepare(sql).all(...values) as never,
      });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(AGAIN_MS);
    } finally {
      db?.close();
    }
  }
}

export type RootFile = { readonly epoch: number; readonly wrap: string; readonly key: string };

const ROOT_BYTES_MAX = 16_384;

/** The epoch of a file that holds a root key, in whatever wrapping and under whatever name. */
function epochIn(path: string, name: string): number | undefined {
  const [, named] = /(?:root|recovery)-(\d+)/.exec(name) ?? [];
  if (named !== undefined) return Number(named);
  if (statSync(path).size > ROOT_BYTES_MAX) return undefined;
  try {
    const held = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> | null;
    const hasKey = held?.['key'] !== undefined || held?.['sealed'] !== undefined;
    return hasKey && typeof held?.['epoch'] === 'number' ? held['epoch'] : undefined;
  } catch {
    return undefined; // No document, or one that has just been removed.
  }
}

/** The epochs of all root keys in a folder of the keyring. */
export const epochsIn = (folder: string): number[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ name }) => epochIn(join(folder, name), name) ?? []);

/** The files of root keys that lie in the folder, whatever the keyring says of them. */
export function rootFiles(folder: string): RootFile[] {
  return readdirSync(folder)
    .filter((name) => /^root-\d+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as RootFile);
}
