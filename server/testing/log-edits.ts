/** What somebody might do to the folder of a log: one edit at a time, each to be found. */
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** 0 <= answer < below. */
export type Pick = (below: number) => number;

/** A generator with a seed, so that a failure can be told by its number (mulberry32). */
export function pickOf(seed: number): Pick {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const filesOf = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

function swapInside(file: string, pick: Pick): boolean {
  const bytes = readFileSync(file);
  const [from, to] = [pick(bytes.length / 32), pick(bytes.length / 32)];
  if (!file.includes('/tile/') || file.includes('entries') || from === to) return false;
  const swapped = Buffer.from(bytes);
  bytes.copy(swapped, from * 32, to * 32, (to + 1) * 32);
  bytes.copy(swapped, to * 32, from * 32, (from + 1) * 32);
  writeFileSync(file, swapped);
  return !swapped.equals(bytes);
}

function swapFiles(files: readonly string[], file: string, pick: Pick): boolean {
  const other = files[pick(files.length)] ?? file;
  const [ours, theirs] = [readFileSync(file), readFileSync(other)];
  if (ours.equals(theirs)) return false;
  writeFileSync(file, theirs);
  writeFileSync(other, ours);
  return true;
}

/** Each returns false when it would have changed nothing. `older` is an earlier state of `dir`. */
const EDITS: Readonly<
  Record<string, (given: { dir: string; older: string; file: string; pick: Pick }) => boolean>
> = {
  change({ file, pick }) {
    const bytes = readFileSync(file);
    const at = pick(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
    writeFileSync(file, bytes);
    return true;
  },
  drop({ file }) {
    rmSync(file);
    return true;
  },
  truncate({ file, pick }) {
    truncateSync(file, pick(readFileSync(file).length));
    return true;
  },
  extend({ file, pick }) {
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(1 + pick(64))]));
    return true;
  },
  reorder: ({ file, pick }) => swapInside(file, pick),
  exchange: ({ dir, file, pick }) => swapFiles(filesOf(dir), file, pick),
  rename({ file }) {
    renameSync(file, `${file}0`);
    return true;
  },
  'roll back'({ dir, older }) {
    rmSync(dir, { recursive: true });
    cpSync(older, dir, { recursive: true });
    return true;
  },
  'roll back the checkpoint'({ dir, older }) {
    cpSync(join(older, 'checkpoint'), join(dir, 'checkpoint'));
    return true;
  },
  'roll back a part'({ dir, older, file }) {
    const before = join(older, file.slice(dir.length));
    if (!existsSync(before) || readFileSync(before).equals(readFileSync(file))) return false;
    cpSync(before, file);
    return true;
  },
};

/** Makes one edit, which did change something. @returns what was done. */
export function editLog(dir: string, older: string, pick: Pick): string {
  const names = Object.keys(EDITS);
  for (;;) {
    const name = names[pick(names.length)] ?? 'drop';
    const files = filesOf(dir);
    const file = files[pick(files.length)] ?? '';
    if (EDITS[name]?.({ dir, older, file, pick })) return `${name} ${file.slice(dir.length)}`;
  }
}
