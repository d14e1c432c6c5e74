/** Files that are there whole after a power cut, or not at all. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder; returns the folders whose entries changed by it, the highest first. */
async function makeFolder(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return [];
  const changed: string[] = [];
  for (let at = folder; at.length >= first.length; at = dirname(at)) changed.unshift(dirname(at));
  return changed;
}

/**
 * Writes files, each replaced in one step, and returns when they and their folders are on the disk.
 *
 * @param files  Paths below `root`, with their content.
 */
export async function writeDurably(
  root: string,
  files: readonly (readonly [path: string, content: Uint8Array | string])[],
): Promise<void> {
  const folders = new Set<string>();
  for (const [path] of files) {
    const folder = dirname(join(root, path));
    if (folders.has(folder)) continue;
    for (const changed of await makeFolder(folder)) folders.add(changed);
    folders.add(folder);
  }
  await Promise.all(
    files.map(async ([path, content]) => {
      const target = join(root, path);
      const draft = join(dirname(target), `.${randomBytes(6).toString('hex')}.draft`);
      try {
        const handle = await open(draft, 'wx', 0o600);
        try {
          await handle.writeFile(content);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(draft, target);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => undefined);
        throw error;
      }
    }),
  );
  await Promise.all([...folders].map(syncFolder));
}
