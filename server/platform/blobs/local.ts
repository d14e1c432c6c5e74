/** Objects as files of one directory. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type BlobBody, type Blobs, checkKey, checkPrefix } from './blobs.ts';
import { blobsProblem } from './errors.ts';

/** Where a body is written before it has its name. No key can name a place with a dot in front. */
const PARTS = '.parts';
const ATTEMPTS_MAX = 10;

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

async function missingIsUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    // A folder, or a link, is no object.
    if (['EISDIR', 'EPERM', 'ELOOP'].includes(codeOf(error) ?? '')) return undefined;
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

/** Gives the finished part its name. The folder may be pruned away meanwhile, and is remade. */
async function nameIt(root: string, part: string, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await makeDirectories(root, dirname(file));
      await rename(part, file);
      // Gone again when somebody removed the object at once.
      await missingIsUndefined(syncDirectory(dirname(file)));
      return;
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code === 'ENOENT' && attempt < ATTEMPTS_MAX) continue;
      if (!['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'].includes(code)) throw error;
      throw blobsProblem('object-key-refused', 'a key may not go on below an object');
    }
  }
}

async function writeWhole(root: string, file: string, body: BlobBody): Promise<void> {
  const part = join(root, PARTS, randomBytes(8).toString('hex'));
  try {
    const handle = await open(part, 'wx', 0o600);
    try {
      if (body instanceof Uint8Array) await handle.writeFile(body);
      else for await (const piece of body) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await nameIt(root, part, file);
  } catch (error) {
    await rm(part, { force: true });
    if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error;
    throw blobsProblem('object-store-full', 'nothing was written; what was there before stays');
  }
}

/** A folder's name may hold a person's opaque id, so an empty one does not stay. */
async function pruneUpwards(root: string, directory: string): Promise<void> {
  for (let at = directory; at !== root; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return; // not empty, or gone already
    }
    await missingIsUndefined(syncDirectory(dirname(at)));
  }
}

async function openFile(file: string): Promise<Readable | undefined> {
  // No link is followed: everything below the root was made here, and nothing here is a link.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const handle = await missingIsUndefined(open(file, flags));
  if (!handle) return undefined;
  if ((await handle.stat()).isFile()) return handle.createReadStream();
  await handle.close();
  return undefined;
}

async function* walk(directory: string): AsyncIterable<string> {
  const entries = (await missingIsUndefined(readdir(directory, { withFileTypes: true }))) ?? [];
  // Directories sort as if their slash were written, so that keys come in order.
  const key = ({ name, isDirectory }: { name: string; isDirectory: boolean }) =>
    isDirectory ? `${name}/` : name;
  const named = entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  for (const entry of named.sort((a, b) => (key(a) < key(b) ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory) yield* walk(join(directory, entry.name));
    else yield join(directory, entry.name);
  }
}

/**
 * Opens the store in `directory`, making it when it is missing. The directory has one owner at a
 * time: parts that a crash left behind are removed.
 */
export async function openLocalBlobs(directory: string): Promise<Blobs> {
  await rm(join(directory, PARTS), { recursive: true, force: true });
  await mkdir(join(directory, PARTS), { recursive: true, mode: 0o700 });
  const fileOf = (key: string) => join(directory, ...checkKey(key).split('/'));
  return {
    put: async (key, body) => writeWhole(directory, fileOf(key), body),
    async get(key) {
      const stream = await openFile(fileOf(key));
      return stream && buffer(stream);
    },
    read: async (key) => openFile(fileOf(key)),
    async size(key) {
      const found = await missingIsUndefined(lstat(fileOf(key)));
      return found?.isFile() ? found.size : undefined;
    },
    async remove(key) {
      const file = fileOf(key);
      await missingIsUndefined(unlink(file));
      await missingIsUndefined(syncDirectory(dirname(file)));
      await pruneUpwards(directory, dirname(file));
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
