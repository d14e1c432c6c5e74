/** `troth keys restore`: the keyring again, from a copy of it and the recovery kit. */
import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { keeperProblem, type Restored, restoreKeyring } from '#platform/keeper';
import { holdDataDirectory } from '#platform/runtime';
import { type Answer, type Invocation, readText, Usage } from './terminal.ts';

/** What others keep beside the keys. A second copy has none of it, a backup may. */
const BESIDE = ['forget.journal', 'checkpoints'] as const;
type Beside = (typeof BESIDE)[number];

/** Reads the kit from files or standard input, never from the words of the command. */
export async function restoreKeys(invocation: Invocation): Promise<Answer> {
  const { keyring, dataDir, names, options } = invocation;
  const copy = options.copy ?? keyring.copyDir;
  if (!copy) {
    throw new Usage('say where a copy of the keyring lies: --copy DIR, or TROTH_KEYRING_COPY_DIR');
  }
  const from = resolve(copy);
  const passphrase = keyring.passphraseFile && readText(keyring.passphraseFile).trimEnd();
  const data = holdDataDirectory(dataDir);
  try {
    const files = names.slice(1);
    const text = files.length > 0 ? files.map(readText).join('\n') : await typed(invocation);
    const given = { from, to: keyring.dir, kit: linesOfKit(text), instance: data.instance };
    const restored = restoreKeyring({ ...given, ...(passphrase && { passphrase }) });
    const beside = bring(from, keyring.dir);
    return {
      json: { keyring: keyring.dir, copy: from, ...restored, ...beside },
      text: inWords(keyring.dir, restored, beside.missing),
    };
  } finally {
    data.release();
  }
}

function typed({ ask, progress, readInput }: Invocation): Promise<string> {
  // Somebody sits there, and would wait for us as we for them.
  if (ask)
    progress(
      'Type the line of the kit, or enough of its shares; then Ctrl-D on a line of its own.',
    );
  return readInput();
}

/**
 * The lines that hold the secret, among the words that a printed kit has around them: eight groups
 * of letters and digits or more, and no other sign. A share may have its number before it.
 */
function linesOfKit(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^\d{1,2}[.:)]?\s+/, ''))
    .filter((line) => /^[0-9a-z]+(?:[\s-]+[0-9a-z]+){7,}$/i.test(line));
  if (lines.length > 0) return lines;
  throw keeperProblem('recovery-kit-invalid', 'no line of a kit was given');
}

/** What stands in `to` already is never older than what the copy has. */
function bring(from: string, to: string): { brought: Beside[]; missing: Beside[] } {
  const absent = BESIDE.filter((name) => !existsSync(join(to, name)));
  const brought = absent.filter((name) => existsSync(join(from, name)));
  for (const name of brought) cpSync(join(from, name), join(to, name), { recursive: true });
  return { brought, missing: absent.filter((name) => !brought.includes(name)) };
}

function inWords(dir: string, restored: Restored, missing: readonly Beside[]): string {
  const { keysOpened, epochs, newestKeyAt } = restored;
  const newest = newestKeyAt ? `, the newest made ${newestKeyAt.toISOString()}` : '';
  const lines = [
    `${dir} holds the keyring again: all ${keysOpened} keys of the copy open (epoch ${epochs.join(', ')})${newest}.`,
    'A key made after the copy was is not in it: what was sealed under it stays closed.',
  ];
  if (missing.includes('forget.journal')) {
    lines.push(
      'Missing: forget.journal. Bring it back from a backup, if somebody was ever erased here.',
    );
  }
  return [...lines, 'Start the server: npm start'].join('\n');
}
