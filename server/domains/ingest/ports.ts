/**
 * What the pipeline needs from the rest of the platform, and no more. The wiring hands it in; the
 * tests of single steps hand in something smaller.
 */

import type { TenantId } from '#base/ids';
import type { Keys } from '#core/keys';
import type { Consent, ConsentGate } from '#domains/consent';
import type { Place } from '#platform/location';
import type { Inbox } from './inbox.ts';
import type { KeyedHashes } from './keyed-hashes.ts';
import type { MessageWindow } from './message-window.ts';
import type { Handle } from './model.ts';
import type { RateLimits } from './rates.ts';

export type { Place };

export type KeysPort = Pick<
  Keys,
  'prepare' | 'cached' | 'subjects' | 'link' | 'shared' | 'seal' | 'hash'
>;

export type ConsentPort = Pick<Consent, 'recordConflicts'> & {
  readonly gate: Pick<ConsentGate, 'decide' | 'load'>;
};

export type LocationPort = { locate(address: string): Place };

/** Everything the steps may touch. */
export type Tools = {
  readonly keys: KeysPort;
  readonly hashes: KeyedHashes;
  readonly consent: ConsentPort;
  readonly location: LocationPort;
  readonly rates: RateLimits;
  readonly window: MessageWindow;
  readonly inbox: Inbox;
  /** Told when an event says that its person is below the policy's age and is to be purged. */
  readonly reportMinor: (tenant: TenantId, handle: Handle) => void;
};
