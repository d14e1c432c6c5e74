/** The forget journal and the removal of services: what a start goes through before it applies. */
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { type Forgotten, type Journal, openJournal, readJournal } from '#core/audit';
import type { Policies } from '#core/policy';
import type { Ingest } from '#domains/ingest';
import { finishRemovals, type RemovalDeps } from '#oversight/removal';
import { openLocalBlobs } from '#platform/blobs';
import type { Log } from '#platform/log';
import type { Config } from './config.ts';
import { type DomainRoutes, removalRoutes } from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';

type Given = Foundation & {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
  readonly afterStep: RemovalDeps['afterStep'];
  readonly progress: (text: string) => void;
};

export type WiredRemovals = {
  readonly journal: Journal;
  /** What the journal held at this start. */
  readonly journalled: readonly Forgotten[];
  /** Once events are taken in. */
  routes(serving: { policies: Policies; ingest: Pick<Ingest, 'end'> }): DomainRoutes;
};

/**
 * Opens the forget journal, and finishes the removals that a crash cut off or a restore undid:
 * before a policy is applied, so that nothing of before comes into a service of the same name.
 */
export async function wireRemovals(
  stack: AsyncDisposableStack,
  given: Given,
): Promise<WiredRemovals> {
  const { db, events, keeper, config, clock, log, afterStep, progress } = given;
  const file = join(config.keyringDir, 'forget.journal');
  const journalled = await readJournal(file);
  const journal = stack.adopt(await openJournal(file), (open) => open.close());
  const blobs = await openLocalBlobs(join(config.dataDir, 'objects'));
  const deps: RemovalDeps = { db, events, keeper, journal, blobs, clock, log, afterStep };
  for (const tenant of await finishRemovals(deps, journalled)) {
    progress(`  the removal of ${tenant} waits. Ask again: troth service remove ${tenant}`);
  }
  return {
    journal,
    journalled,
    routes: ({ policies, ingest }) =>
      removalRoutes({
        ...deps,
        serving: { policies, endInbox: (tenant) => ingest.end(tenant) },
      }),
  };
}
