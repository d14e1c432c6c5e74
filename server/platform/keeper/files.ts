/** Small secret files: written whole, fsynced with their directory, overwritten before they go. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A directory that only its owner can enter. */
export function privateDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

/** Readers see the old content or the new one, never half of it. */
export function writeSecret(dir: string, name: string, content: string | Uint8Array): void {
  const draft = join(dir, `.${name}.draft`);
  const handle = openSync(draft, 'w', 0o600);
  try {
    writeSync(handle, Buffer.from(content as Uint8Array));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, join(dir, name));
  syncDirectory(dir);
}

export function readJson<T>(dir: string, name: string): T | undefined {
  const file = join(dir, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

/**
 * Overwrites a file in place, then unlinks it. On a disk that copies on write old blocks may live
 * until they are reused: what was wrapped under the old epoch is re-wrapped for that reason.
 */
export function destroyFile(dir: string, name: string): void {
  const file = join(dir, name);
  if (!existsSync(file)) return;
  const handle = openSync(file, 'r+');
  try {
    writeSync(handle, randomBytes(statSync(file).size), 0);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  unlinkSync(file);
  syncDirectory(dir);
}

export function namesIn(dir: string, pattern: RegExp): string[] {
  return existsSync(dir) ? readdirSync(dir).filter((name) => pattern.test(name)) : [];
}
