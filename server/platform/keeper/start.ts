import { join } from 'node:path';
import { Word } from '#base/ids';
import type { Log } from '#platform/log';
import { nodeEnvironment, type Supervised, stopOrphans, supervise } from '#platform/runtime';
import { openKeeper } from './client.ts';
import { privateDirectory } from './files.ts';

const KEEPER = Word('keeper');

export type KeeperOptions = {
  readonly keyringDir: string;
  /** The second, synchronous copy; on another disk, or it is a gap. */
  readonly copyDir?: string | undefined;
  readonly passphraseFile?: string | undefined;
  /** A short directory (`shortDirectory`): a socket's path has at most 103 bytes. */
  readonly runtimeDir: string;
  readonly logFile?: string;
  /** True at a first start only: a keyring is never made anew for data that has one. */
  readonly create: boolean;
  readonly log: Log;
};

/**
 * Starts the keeper as a child that is started again when it dies.
 *
 * @throws Problem child-did-not-start: its reason, one sentence, is in `logFile`.
 */
export async function startKeeper(
  options: KeeperOptions,
): Promise<Supervised & { socketPath: string }> {
  const { keyringDir, copyDir, passphraseFile, runtimeDir, create, log } = options;
  const directory = join(runtimeDir, 'k');
  privateDirectory(directory);
  const socketPath = join(directory, 'keeper.sock');
  const supervised = await supervise({
    name: KEEPER,
    command: process.execPath,
    args: [
      ...['--no-warnings', '--max-old-space-size=128', join(import.meta.dirname, 'process.ts')],
      ...['--keyring', keyringDir, '--socket', socketPath],
      ...(copyDir ? ['--copy', copyDir] : []),
      ...(passphraseFile ? ['--passphrase-file', passphraseFile] : []),
      ...(create ? ['--create'] : []),
    ],
    env: nodeEnvironment(),
    // By its socket, which lies in a directory of this server's own: never the keeper of another.
    prepare: () => stopOrphans(['--socket', socketPath], { child: KEEPER, log }),
    ...(options.logFile ? { logFile: options.logFile } : {}),
    ready: async () => {
      const keeper = openKeeper(socketPath, { deadlineMs: 200 });
      try {
        await keeper.call('hello', { listen: false });
      } finally {
        keeper.close();
      }
    },
    log,
  });
  return Object.assign(supervised, { socketPath });
}
