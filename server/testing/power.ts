/**
 * A disk that loses power: what the programs on it had not made durable is gone, all at once.
 *
 * As root the folder lies on an ext4 image behind a loop device, whose file holds only what the
 * kernel was made to write: everything is stopped, the image is copied, and the copy is mounted as
 * a machine mounts its disk after a cut. Anyone else gets a copy of the files at one instant, which
 * keeps what was written and not synced.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Disk = {
  /** Where the programs write. */
  readonly path: string;
  /** What a cut loses. */
  readonly loses: 'what was not synced' | 'nothing that was written';
  /**
   * Goes on with what the disk held when everything was stopped. Before: `stop` everything that
   * writes; it is `ended` once the disk was copied.
   */
  cut(ended: () => Promise<void>): Promise<void>;
  remove(): void;
};

const IMAGE_MB = 3_072;
/** The journal is written when a program syncs, and not by itself while the image is copied. */
const MOUNT = ['-o', 'loop,commit=600,noatime'];

function ran(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function imageDisk(folder: string): Disk | undefined {
  const image = join(folder, 'disk.img');
  const path = join(folder, 'disk');
  mkdirSync(path, { recursive: true });
  const made =
    ran('truncate', '-s', `${IMAGE_MB}M`, image) &&
    ran('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image) &&
    ran('mount', ...MOUNT, image, path);
  if (!made) return undefined;
  // Other users' engines enter, as they enter a home.
  ran('chmod', '755', path);
  return {
    path,
    loses: 'what was not synced',
    async cut(ended) {
      const after = `${image}.after`;
      if (!ran('cp', '--sparse=always', image, after)) throw new Error('the disk was not copied');
      await ended();
      // Dropping the old mount writes to the old image only.
      // A process that was just killed may hold its files for a moment.
      for (let attempt = 0; !ran('umount', path); attempt++) {
        if (attempt === 20) throw new Error('something still holds the disk');
        await sleep(250);
      }
      renameSync(after, image);
      if (!ran('mount', ...MOUNT, image, path)) throw new Error('the copy is not a disk');
    },
    remove() {
      ran('umount', '-l', path);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function plainDisk(folder: string): Disk {
  const path = join(folder, 'disk');
  mkdirSync(path, { recursive: true });
  return {
    path,
    loses: 'nothing that was written',
    async cut(ended) {
      const after = join(folder, 'after');
      cpSync(path, after, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      await ended();
      rmSync(path, { recursive: true, force: true });
      renameSync(after, path);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const openDisk = (folder: string): Disk => imageDisk(folder) ?? plainDisk(folder);
