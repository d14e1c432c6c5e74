/**
 * What the pipeline needs from the rest of the platform, and no more. The wiring hands it in; the
 * tests of single steps hand in something smaller.
 */

import type { DataTypeId, PurposeId, SubjectId, TenantId } from '#base/ids';
import type { Place } from '#platform/location';
import type { Inbox } from './inbox.ts';
import type { MessageWindow } from './message-window.ts';
import type { Handle, Signals, SubjectKey } from './model.ts';
import type { RateLimits } from './rates.ts';

export type { Place };

/** Where a sealed blob belongs; bound to its ciphertext. */
export type SealPlace = {
  readonly tenant: TenantId;
  readonly table: string;
  readonly row: string;
  readonly subject: SubjectId | undefined;
  readonly revision: number;
};

export type KeysPort = {
  /** A key that is open already, or nothing; never waits. */
  cached(tenant: TenantId, handle: Handle): SubjectKey | undefined;
  /** One round trip for all; `undefined` for a person who is not known and was not to be created. */
  subjects(
    tenant: TenantId,
    handles: readonly Handle[],
    create: boolean,
  ): Promise<readonly (SubjectKey | undefined)[]>;
  link(tenant: TenantId, from: Handle, to: Handle): Promise<void>;
  /** The key of a data type, or of a day, for events without a person. */
  shared(tenant: TenantId, type: DataTypeId, day: number | undefined): Promise<SubjectKey>;
  seal(key: SubjectKey, plaintext: Buffer, place: SealPlace): Buffer;
  /** 64 bits under a key of the tenant (and day, where one is given) as two halves. */
  hash(tenant: TenantId, purpose: 'message' | 'session', text: string, day?: number): Halves;
};

export type Halves = { readonly low: number; readonly high: number };

export type ConsentPort = {
  /** Makes the decisions of these people ready; nothing to wait for when they are. */
  load(tenant: TenantId, subjects: readonly SubjectId[]): Promise<void> | undefined;
  decide(
    tenant: TenantId,
    subject: SubjectId | undefined,
    purpose: PurposeId,
    signals: Signals,
    /** ISO 3166-1 alpha-2; `''` where it was not found. Some purposes ask more in some places. */
    country: string,
  ): boolean;
};

export type LocationPort = { locate(address: string): Place };

/** Everything the steps may touch. */
export type Tools = {
  readonly keys: KeysPort;
  readonly consent: ConsentPort;
  readonly location: LocationPort;
  readonly rates: RateLimits;
  readonly window: MessageWindow;
  readonly inbox: Inbox;
  /** Told when an event says that its person is below the policy's age and is to be purged. */
  readonly reportMinor: (tenant: TenantId, handle: Handle) => void;
};
