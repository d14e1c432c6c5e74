import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

/** A socket's path may have 107 bytes on Linux and 103 on macOS, name included. */
const PATH_BYTES_MAX = 80;

/**
 * A short directory for sockets and pipes, the same one for the same data directory.
 *
 * Others may pass through it but not list or write it (0711): what lies inside is 0700. A directory
 * that somebody else has put in our place is not used.
 */
export function shortDirectory(dataDir: string, temporary = '/tmp'): string {
  const digest = createHash('sha256').update(`${process.getuid?.() ?? 0}:${dataDir}`);
  const wanted = join(temporary, `troth-${digest.digest('hex').slice(0, 10)}`);
  if (wanted.length > PATH_BYTES_MAX) return shortDirectory(dataDir, '/tmp');
  try {
    mkdirSync(wanted, { mode: 0o711 });
    return wanted;
  } catch {
    const found = lstatSync(wanted, { throwIfNoEntry: false });
    if (!found?.isDirectory()) return mkdtempSync(`${wanted}-`);
    const ours = found.uid === (process.getuid?.() ?? found.uid) && (found.mode & 0o022) === 0;
    return ours ? wanted : mkdtempSync(`${wanted}-`);
  }
}
