/**
 * What everything else stands on: the data directory, the engines, the keeper, the two databases.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vkeyOf } from '#base/signed-note';
import { openSigner, type Signer } from '#core/keys';
import { claimDatabase, type Database, openDatabase, startPostgres } from '#platform/database';
import {
  claimEvents,
  type Events,
  openEvents,
  preparePurposeLogins,
  startClickHouse,
} from '#platform/events';
import { type Keeper, openKeeper, startKeeper } from '#platform/keeper';
import type { Log } from '#platform/log';
import { checkPort, openDataDirectory, openRuntimeDirectory } from '#platform/runtime';
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
type Start = <Child extends Stoppable>(starting: Promise<Child>) => Promise<Child>;

/** Whatever did start is stopped with `stack`, also when another one of them did not. */
function childrenOf(stack: AsyncDisposableStack): Start {
  const started: Promise<Stoppable>[] = [];
  stack.defer(async () => {
    const ended = await Promise.allSettled(started);
    await Promise.all(
      ended.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)),
    );
  });
  return (starting) => {
    started.push(starting);
    return starting;
  };
}

/**
 * Starts the children, and opens what they serve. Everything is handed to `stack`, in the order in
 * which it must not be taken down.
 *
 * @throws Problem data-directory-in-use, data-directory-newer, data-without-keys, port-taken,
 *         child-did-not-start, database-not-preparable, database-newer, events-unavailable.
 */
export async function layFoundation(
  stack: AsyncDisposableStack,
  { config, log }: { config: Config; log: Log },
): Promise<Foundation> {
  const { dataDir, keyringDir } = config;
  const directory = openDataDirectory({ dataDir, keyringDir });
  stack.defer(() => directory.release());
  // Said before the engines start, and after whoever runs here already has been named.
  for (const port of [config.httpPort, config.httpsPort]) await checkPort(port);
  if (directory.tightened > 0) log('directory.tightened', { entries: directory.tightened });
  const runtime = openRuntimeDirectory(dataDir);
  stack.defer(() => runtime.remove());
  const given = { dataDir, runtimeDir: runtime.path, log };
  const child = childrenOf(stack);
  const beginKeeper = () =>
    child(
      startKeeper({
        keyringDir,
        runtimeDir: runtime.path,
        log,
        copyDir: config.keyringCopyDir,
        passphraseFile: config.keyringPassphraseFile,
        logFile: join(dataDir, 'keeper.log'),
        create: directory.fresh,
      }),
    );

  const [postgresUrl, clickhouseUrl, early] = await Promise.all([
    config.postgresUrl ?? child(startPostgres(given)).then(({ url }) => url),
    config.clickhouseUrl ?? child(startClickHouse(given)).then(({ url }) => url),
    directory.fresh ? undefined : beginKeeper(),
  ]);
  const db = stack.adopt(await openDatabase({ url: postgresUrl, log }), (open) => open.close());
  await claimDatabase(db.admin, directory.instance);
  const events = stack.adopt(openEvents(clickhouseUrl), (open) => open.close());
  await claimEvents(events, directory.instance);
  // The embedded engine read them with its users.
  const ofOperator = config.clickhouseUrl !== undefined;
  if (ofOperator && !(await preparePurposeLogins(events, clickhouseUrl)))
    log('events.no-purpose-logins', {});
  // A keyring is made only for data that was seen to have none, wherever that data is.
  const { socketPath } = early ?? (await beginKeeper());
  if (directory.fresh) directory.settle();
  const keeper = openKeeper(socketPath);
  stack.defer(() => keeper.close());
  const signer = await openSigner(keeper);
  writePublicKey(dataDir, { instance: directory.instance, signer });
  return {
    db,
    events,
    keeper,
    signer,
    instance: directory.instance,
    clickhouseUrl,
    keeperSocket: socketPath,
  };
}

/** For the operator to hand out: what a certificate, a report or a log is checked with elsewhere. */
function writePublicKey(
  dataDir: string,
  { instance, signer }: { instance: string; signer: Signer },
): void {
  const vkey = vkeyOf({ name: `troth/${instance}`, publicKey: signer.publicKey });
  writeFileSync(join(dataDir, 'troth.pub'), `${vkey}\n`, { mode: 0o600 });
}
