/** The shapes that walk through the pipeline. */
import type { TenantId } from '#base/ids';
import type { Handle, SubjectKey } from '#core/keys';
import type { Permit } from '#core/policy';
import type { Conflict, Signals } from '#domains/consent';
import type { DropReason } from './drops.ts';
import type { IngestPlan, TypePlan } from './plan.ts';
import type { JsonObject, Kind } from './wire.ts';
import type { KeyKind } from './write-keys.ts';

export type { Handle, Signals, SubjectKey };

export const MODE = { anonymous: 0, pseudonymous: 1, identified: 2 } as const;
export type Mode = (typeof MODE)[keyof typeof MODE];

/**
 * One event on its way. Fields are filled in by the steps, in the order in which they stand here.
 */
export type IngestEvent = {
  readonly index: number;
  readonly kind: Kind;
  readonly name: string;
  readonly type: TypePlan;
  /** One value per declared field of the type, `undefined` where none was sent. */
  readonly values: unknown[];
  readonly context: JsonObject;
  readonly eventAt: number;
  readonly messageId: string;
  messageLow: number;
  messageHigh: number;
  mode: Mode;
  handle: Handle | undefined;
  readonly previous: Handle | undefined;
  /** The handle of a browser that nobody signed in to; never stored, never joined across days. */
  readonly visitor: string | undefined;
  /** The handle under which consent was given where it is not the visitor's. */
  readonly consentHandle: string | undefined;
  readonly sessionText: string | undefined;
  subject: SubjectKey | undefined;
  sessionLow: number;
  sessionHigh: number;
  /** Signals of this event alone: a server may pass on events of many people at once. */
  readonly told: Signals | undefined;
  /** What the sender says about age; read by `checkAge`, never stored. */
  readonly minor: boolean;
  readonly years: number | undefined;
  /** The person chose to give as little as possible: no enrichment, no session, only essentials. */
  readonly minimal: boolean;
  country: string;
  device: Device;
  sealed: Buffer | undefined;
};

/** An event whose sender passed on the person's address (server-side clients do). */
export type AddressedEvent = IngestEvent & { address: string | undefined };

export type Device = { readonly type: string; readonly os: string; readonly browser: string };
export const NO_DEVICE: Device = Object.freeze({ type: '', os: '', browser: '' });

export type Refused = {
  readonly index: number;
  readonly code: DropReason;
  readonly detail: string;
};

type Request<Event> = {
  readonly tenant: TenantId;
  /** Whether the sender's key is a secret, or one that everybody has who opened the page. */
  readonly keyKind: KeyKind;
  /** Leave to take in events, for this tenant and key. */
  readonly permit: Permit<'event.ingest'>;
  readonly plan: IngestPlan;
  readonly receivedAt: number;
  readonly userAgent: string | undefined;
  readonly signals: Signals;
  events: Event[];
  readonly refused: Refused[];
  readonly dropped: Map<DropReason, number>;
  /** Choices that a signal overruled in this request, to be put on record. */
  readonly conflicts: Conflict[];
  /** The number of the inbox group that must be durable before the answer; 0 for none. */
  group: number;
  kept: number;
  duplicates: number;
  /** Dropped by what a person decided, and not told apart from what was kept: see the answer. */
  untold: number;
};

/** A request as it arrives: nothing is checked, and the address is known. */
export type Arrived = Request<AddressedEvent> & {
  readonly address: string | undefined;
  readonly sent: readonly unknown[];
  readonly sentAt: unknown;
  readonly shared: JsonObject;
  readonly kind: Kind | undefined;
};
/** Schema checked and country found; the address is still known. */
export type Addressed = Request<AddressedEvent> & { readonly address: string | undefined };
/** From here on no address: the property does not exist, and nothing holds a copy. */
export type Batch = Request<IngestEvent>;

export type Outcome = Pick<Batch, 'kept' | 'duplicates' | 'untold' | 'refused' | 'dropped'>;
