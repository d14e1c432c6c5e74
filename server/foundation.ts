/**
 * What everything else stands on: the data directory, the engines, the keeper, the two databases.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vkeyOf } from '#base/signed-note';
import { openSigner, type Signer } from '#core/keys';
import { type Database, openDatabase, startPostgres } from '#platform/database';
import { type Events, openEvents, startClickHouse } from '#platform/events';
import { type Keeper, openKeeper, startKeeper } from '#platform/keeper';
import type { Log } from '#platform/log';
import { openDataDirectory, shortDirectory } from '#platform/runtime';
import type { Config } from './config.ts';

export type Foundation = {
  db: Database;
  events: Events;
  keeper: Keeper;
  signer: Signer;
  /** The mark that data and keys share. */
  instance: string;
  clickhouseUrl: string;
  keeperSocket: string;
};

type Stoppable = { stop(): Promise<void> };

/**
 * Starts the children, all at once, and opens what they serve. Everything is handed to `stack`, in
 * the order in which it must not be taken down.
 *
 * @throws Problem data-directory-in-use, data-directory-newer, data-without-keys,
 *         child-did-not-start.
 */
export async function layFoundation(
  stack: AsyncDisposableStack,
  { config, log }: { config: Config; log: Log },
): Promise<Foundation> {
  const { dataDir, keyringDir } = config;
  const directory = openDataDirectory({ dataDir, keyringDir });
  stack.defer(() => directory.release());
  const given = { dataDir, runtimeDir: shortDirectory(dataDir), log };
  const started: Promise<Stoppable>[] = [];
  const child = <Child extends Stoppable>(starting: Promise<Child>): Promise<Child> => {
    started.push(starting);
    return starting;
  };
  // Whatever did start is stopped, also when another one of them did not.
  stack.defer(async () => {
    const ended = await Promise.allSettled(started);
    await Promise.all(
      ended.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)),
    );
  });
  const keeperOptions = {
    ...{ keyringDir, runtimeDir: given.runtimeDir, log },
    copyDir: config.keyringCopyDir,
    passphraseFile: config.keyringPassphraseFile,
    logFile: join(dataDir, 'keeper.log'),
    create: directory.fresh,
  };
  const [postgresUrl, clickhouseUrl, kept] = await Promise.all([
    config.postgresUrl ?? child(startPostgres(given)).then(({ url }) => url),
    config.clickhouseUrl ?? child(startClickHouse(given)).then(({ url }) => url),
    child(startKeeper(keeperOptions)),
  ]);
  const db = stack.adopt(await openDatabase({ url: postgresUrl, log }), (open) => open.close());
  const events = stack.adopt(openEvents(clickhouseUrl), (open) => open.close());
  const keeper = openKeeper(kept.socketPath);
  stack.defer(() => keeper.close());
  const signer = await openSigner(keeper);
  writePublicKey(dataDir, { instance: directory.instance, signer });
  return {
    ...{ db, events, keeper, signer, instance: directory.instance },
    ...{ clickhouseUrl, keeperSocket: kept.socketPath },
  };
}

/** For the operator to hand out: what a certificate, a report or a log is checked with elsewhere. */
function writePublicKey(
  dataDir: string,
  { instance, signer }: { instance: string; signer: Signer },
): void {
  const vkey = vkeyOf({ name: `troth/${instance}`, publicKey: signer.publicKey });
  writeFileSync(join(dataDir, 'troth.pub'), `${vkey}\n`, { mode: 0o644 });
}
