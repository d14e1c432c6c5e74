import type { Clock } from '#base/clock';
import { KeyId } from '#base/ids';
import type { Journal } from '#core/audit';
import type { Keys, Signer } from '#core/keys';
import type { Actor, Policies } from '#core/policy';
import type { Database } from '#platform/database';
import type { Log } from '#platform/log';
import type { ErasureStore } from './model.ts';
import type { Places } from './search.ts';
import type { EventsStore } from './store-events.ts';
import type { Hidden } from './store-hidden.ts';

/** After each of these a crash must find its way. */
export type Step =
  | 'recorded'
  | 'journalled'
  | 'hidden'
  | 'rows-noted'
  | 'store-emptied'
  | 'deleted'
  | 'purged'
  | 'searched'
  | 'certified';

export type ErasureDeps = {
  readonly db: Database;
  readonly keys: Keys;
  readonly policies: Policies;
  readonly journal: Pick<Journal, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signer: Signer;
  readonly hidden: Hidden;
  readonly events: EventsStore;
  /** In this order; what feeds another comes before it. */
  readonly stores: readonly ErasureStore[];
  readonly places: Places;
  /** Writes what a search of the other places must find. */
  readonly plant: (marker: string) => void;
  /** For tests of crashes, which hand in one that ends the process. */
  readonly afterStep?: ((step: Step) => void | Promise<void>) | undefined;
};

/** Who walks an erasure on when the one who asked is gone. */
export const WALKER: Actor = { kind: 'system', id: KeyId('erasure') };
