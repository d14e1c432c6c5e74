/**
 * The keeper: a process of its own that alone holds the root and tenant keys.
 *
 * Nothing of it reaches the network, and its memory is not the server's: a heap dump, a crash
 * report or a bug there shows opened keys of a minute, never the keys above them.
 */
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { Problem } from '#base/problem';
import { openCustody } from './custody.ts';
import { openKeyring } from './keyring.ts';
import { serveKeeper } from './socket.ts';

/** A refusal that no restart can change. */
const EXIT_REFUSED = 78;

const { values } = parseArgs({
  options: {
    keyring: { type: 'string' },
    copy: { type: 'string' },
    socket: { type: 'string' },
    'passphrase-file': { type: 'string' },
    create: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const { keyring: dir, socket: path, copy, create } = values;
  if (!dir || !path) throw new Error('usage: --keyring DIR --socket PATH');
  process.umask(0o077);
  const passphraseFile = values['passphrase-file'];
  const passphrase = passphraseFile ? readFileSync(passphraseFile, 'utf8').trimEnd() : undefined;
  const keyring = openKeyring({ dir, copyDir: copy, create });
  const custody = openCustody(keyring, { passphrase, at: Date.now() });
  const served = await serveKeeper({ keyring, custody }, path);
  flushCompileCache();
  const stop = () => {
    void served.close().finally(() => {
      keyring.close();
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  // A Problem's words are ours; any other message might quote a path with a person's name in it.
  const refused = error instanceof Problem;
  process.stderr.write(`keeper: ${refused ? error.detail : 'could not start'}\n`);
  if (!refused && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exit(refused ? EXIT_REFUSED : 1);
});
