/**
 * What the pipeline needs from the rest of the platform, and no more. The wiring hands it in; the
 * tests of single steps hand in something smaller.
 */

import type { SubjectId, TenantId } from '#base/ids';
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
  'prepare' | 'cached' | 'find' | 'subjects' | 'link' | 'shared' | 'seal' | 'hash'
>;

/** People who are being forgotten: rows of theirs that still wait go no further. */
export type HiddenPort = {
  any(tenant: TenantId): boolean;
  has(tenant: TenantId, subject: SubjectId): boolean;
  /** Resolves when everyone hidden before the call is known here. */
  refresh(): Promise<void>;
  noteDropped(tenant: TenantId, subject: SubjectId, rows: number): void;
  dropped(tenant: TenantId, subject: SubjectId): number;
};

export type ConsentPort = Pick<Consent, 'recordConflicts'> & {
  readonly gate: Pick<ConsentGate, 'decide' | 'load' | 'optOuts'>;
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
