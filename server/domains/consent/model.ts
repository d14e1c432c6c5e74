import { z } from 'zod';
import { type Brand, isWellFormed, meantId, type PurposeId, type SubjectId } from '#base/ids';

export type ReceiptId = Brand<'ReceiptId'>;

/** A signal that a browser sends for its owner. */
export const SIGNAL_NAMES = ['gpc', 'do-not-sell', 'dnt'] as const;
export type SignalName = (typeof SIGNAL_NAMES)[number];

/** What one request says. Any "1" counts; nothing else does. */
export type Signals = { readonly gpc: boolean; readonly dnt: boolean; readonly doNotSell: boolean };

/** @see DPV 2.3, consent statuses. */
export type ConsentStatus =
  | 'ConsentGiven'
  | 'RenewedConsentGiven'
  | 'ConsentRefused'
  | 'ConsentWithdrawn'
  | 'ConsentExpired'
  | 'ConsentUnknown';

/** Why something may be done, or may not. */
export type Because =
  | 'essential'
  | 'consent-given'
  | 'on-by-default'
  | 'consent-not-given'
  | 'consent-refused'
  | 'consent-withdrawn'
  | 'consent-expired'
  | 'off-by-default'
  | 'region-asks-consent'
  | 'parent-not-allowed'
  | 'signal-gpc'
  | 'signal-do-not-sell'
  | 'signal-dnt'
  | 'decisions-not-loaded'
  | 'purpose-unknown';

export type Method = 'single' | 'preferences' | 'withdraw-all' | 'signal' | 'replay';

/** The latest decision of one person about one purpose. Times in milliseconds since 1970. */
export type Decided = {
  readonly receipt: ReceiptId;
  readonly granted: boolean;
  readonly status: ConsentStatus;
  readonly givenAt: number;
  /** Infinity for a consent without an end. */
  readonly expiresAt: number;
};

/** What is known of one person: no entry means that they were silent. */
export type SubjectState = {
  readonly decisions: ReadonlyMap<PurposeId, Decided>;
  /** Overrulings by a signal that are on record, named by `conflictName`. */
  readonly noted: Set<string>;
};

/** A signal that overruled a choice (or, without one, the default), and is not on record yet. */
export type Conflict = {
  readonly subject: SubjectId;
  readonly purpose: PurposeId;
  readonly signal: SignalName;
  readonly overrules: ReceiptId | null;
};

export const conflictName = ({ purpose, signal, overrules }: Omit<Conflict, 'subject'>) =>
  `${signal} ${purpose} ${overrules ?? ''}`;

export type Decision = {
  readonly allowed: boolean;
  readonly because: Because;
  /** To be written with the batch: hand it to `recordConflicts`. */
  readonly conflict?: Conflict;
};

export type Notice = {
  readonly version: string;
  readonly language: string;
  /** False where the client named none, so that it is the notice that was in force. */
  readonly stated: boolean;
};

/** One row: a decision, or a signal's first overruling. Never changed once it is written. */
export type Receipt = {
  readonly id: ReceiptId;
  readonly kind: 'decision' | 'signal';
  readonly subject: SubjectId;
  readonly purpose: PurposeId;
  readonly granted: boolean;
  readonly status: ConsentStatus;
  readonly givenAt: Date;
  readonly receivedAt: Date;
  readonly expiresAt: Date | null;
  readonly notice: Notice;
  readonly method: Method;
  readonly signal: SignalName | null;
  readonly overrules: ReceiptId | null;
  readonly revision: number;
};

/** A decision as a person takes it. Without a time it is taken now. */
export type Given = {
  readonly purpose: PurposeId;
  readonly granted: boolean;
  readonly givenAt?: Date | undefined;
  readonly expiresAt?: Date | undefined;
  readonly notice?: { readonly version: string; readonly language: string } | undefined;
  readonly method: Method;
};

/** A person's handle as sent; it becomes a subject id before anything else happens. */
export type Handle = { readonly kind: 'user' | 'anonymous'; readonly value: string };

const Id = z.string().overwrite(meantId).min(1).max(256).refine(isWellFormed);
/** A visitor, a person, or a person together with the visitor whom a server linked to them. */
export const HandleBody = z.union([
  z.strictObject({ anonymousId: Id }),
  z.strictObject({ userId: Id, anonymousId: Id.optional() }),
]);
export type HandleBody = z.infer<typeof HandleBody>;
const Instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const NoticeBody = z.strictObject({
  version: z.string().regex(/^[A-Za-z0-9._-]{1,32}$/),
  language: z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/),
});
const PurposeName = z.string().min(1).max(64);

export const ConsentBody = z.strictObject({
  handle: HandleBody,
  purpose: PurposeName,
  granted: z.boolean(),
  givenAt: Instant.optional(),
  expiresAt: Instant.optional(),
  notice: NoticeBody.optional(),
});

const PREFERENCES_MAX = 100;
export const PreferencesBody = z.strictObject({
  handle: HandleBody,
  preferences: z
    .unknown()
    // A record leaves this name out, and a decision must not vanish in silence.
    .refine((given) => !Object.hasOwn(Object(given), '__proto__'))
    .pipe(z.record(PurposeName, z.boolean()))
    .refine((given) => Object.keys(given).length <= PREFERENCES_MAX),
  givenAt: Instant.optional(),
  notice: NoticeBody.optional(),
});

export const HandleOnly = z.strictObject({ handle: HandleBody });

/** A server names the address of whom it asks about, as it does with their events. */
export const StatusBody = z.strictObject({
  handle: HandleBody,
  context: z.strictObject({ ip: z.string().max(64).optional() }).optional(),
});

export const visitorOf = ({ anonymousId }: HandleBody): Handle | undefined =>
  anonymousId === undefined ? undefined : { kind: 'anonymous', value: anonymousId };
