/** Objects as files of one directory. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type Blobs, checkKey, checkPrefix } from './blobs.ts';
import { blobsProblem } from './errors.ts';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

async function missingIsUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    if (codeOf(error) === 'EISDIR') return undefined;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync();
  await handle.close();
}

/** Makes the directories down to `directory`, each durable in the one above it. */
async function makeDirectories(root: string, directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = directory; at !== dirname(root); at = dirname(at)) {
    await syncDirectory(dirname(at));
    if (at === first) return;
  }
}

async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(file), `.${randomBytes(8).toString('hex')}.part`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
    throw blobsProblem('object-store-full', 'nothing was written; what was there before stays');
  }
  await syncDirectory(dirname(file));
}

async function* walk(directory: string): AsyncIterable<string> {
  const entries = (await missingIsUndefined(readdir(directory, { withFileTypes: true }))) ?? [];
  // Directories sort as if their slash were written, so that keys come in order.
  const key = ({ name, isDirectory }: { name: string; isDirectory: boolean }) =>
    isDirectory ? `${name}/` : name;
  const named = entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  for (const entry of named.sort((a, b) => (key(a) < key(b) ? -1 : 1))) {
    if (entry.isDirectory) yield* walk(join(directory, entry.name));
    else if (!entry.name.startsWith('.')) yield join(directory, entry.name);
  }
}

/** Opens the store in `directory`, making it when it is missing. */
export async function openLocalBlobs(directory: string): Promise<Blobs> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fileOf = (key: string) => join(directory, ...checkKey(key).split('/'));
  return {
    async put(key, bytes) {
      const file = fileOf(key);
      await makeDirectories(directory, dirname(file));
      await writeWhole(file, bytes);
    },
    get: async (key) => missingIsUndefined(readFile(fileOf(key))),
    size: async (key) => (await missingIsUndefined(stat(fileOf(key))))?.size,
    async remove(key) {
      const file = fileOf(key);
      await missingIsUndefined(rm(file));
      await missingIsUndefined(syncDirectory(dirname(file)));
    },
    async *list(prefix) {
      checkPrefix(prefix);
      const start = join(directory, ...prefix.split('/').slice(0, -1));
      for await (const file of walk(start)) {
        const key = relative(directory, file).split(sep).join('/');
        if (key.startsWith(prefix)) yield key;
      }
    },
  };
}
