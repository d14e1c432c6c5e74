/** The words of an erasure: what is asked, how far it has come, what a store can do for it. */
import type { Policy } from '@troth/policy-language';
import { z } from 'zod';
import { type Brand, isWellFormed, meantId, type SubjectId, type TenantId } from '#base/ids';
import type { Handle } from '#core/keys';

export type ErasureId = Brand<'ErasureId'>;

/** How long events of an erased person may still arrive, and are refused by name. */
export const LATE_DAYS = 30;
export const DAY_MS = 86_400_000;

export const lateUntil = (from: Date): Date => new Date(from.getTime() + LATE_DAYS * DAY_MS);

/**
 * `recorded`: durable, nothing is hidden yet. `held`: a hold stands against it. `hidden`: it can be
 * undone until `destroyAt`. `shredded`: the key is gone. `deleted`: the rows are gone, the search
 * of the bytes is to come. `done`: the certificate is signed.
 */
export const STATES = [
  'recorded',
  'held',
  'hidden',
  'shredded',
  'deleted',
  'done',
  'undone',
] as const;
export type ErasureState = (typeof STATES)[number];

/** `erased-before`: an erasure of theirs ended less than the late window ago. */
export type Found = 'known' | 'unknown' | 'erased-before';

export const GROUNDS = ['legal-obligation', 'contract', 'legitimate-interest'] as const;
export type Ground = (typeof GROUNDS)[number];

/** How the ground is written where it is published. */
const PUBLISHED: Readonly<Record<Ground, RegExp>> = {
  'legal-obligation': /\blegal(ly)? (obligation|requirement|required)|\brequired by law\b/i,
  contract: /\bcontract/i,
  'legitimate-interest': /\blegitimate interest/i,
};

/** The grounds against erasure that a policy publishes. */
export const publishedGrounds = (policy: Policy): Ground[] =>
  GROUNDS.filter((ground) =>
    policy.rights?.erasure?.unless?.some((words) => PUBLISHED[ground].test(words)),
  );

export type Erasure = {
  readonly id: ErasureId;
  readonly tenant: TenantId;
  readonly subject: SubjectId | null;
  readonly found: Found;
  readonly complete: boolean;
  readonly reason: string;
  /** How somebody verified who asks; null where nobody has to. */
  readonly verified: string | null;
  readonly revision: number;
  readonly state: ErasureState;
  readonly ground: Ground | null;
  readonly requestedAt: Date;
  readonly hiddenAt: Date | null;
  readonly destroyAt: Date | null;
  readonly keyDestroyedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly keys: KeysGone | null;
  /** When the operator was told that it comes near the end of its time. */
  readonly alarmedAt: Date | null;
  /** Why it does not get on, as a word; null while it does. */
  readonly trouble: string | null;
};

/** What was heard of the keyring when the keys went. */
export type KeysGone = {
  readonly destroyed: number;
  /** Servers that dropped their copies before the destruction was answered. */
  readonly acknowledged: number;
  /** Servers that did not answer and were cut off; they forget on losing the connection. */
  readonly cutOff: number;
};

/** One place of the ledger. `deleted` is what was counted less what remains. */
export type LedgerRow = {
  readonly store: string;
  readonly place: string;
  readonly counted: number;
  readonly remains: number;
  readonly at: Date;
};

/** Rows of each person in each place of a store: place → subject → rows. */
export type Counts = ReadonlyMap<string, ReadonlyMap<SubjectId, number>>;

/**
 * A store as the erasure sees it. Each function may be repeated without harm, and speaks of many
 * people at once: rewriting a table costs the same for one as for a thousand.
 */
export type ErasureStore = {
  readonly name: string;
  /** Every place that can hold rows of a person, also those with none. */
  count(tenant: TenantId, subjects: readonly SubjectId[]): Promise<Counts>;
  erase(tenant: TenantId, subjects: readonly SubjectId[]): Promise<void>;
};

/** A person is said by a handle or by the opaque id, and by one of them only. */
const Whom = {
  handle: z
    .strictObject({
      kind: z.enum(['user', 'anonymous', 'account']),
      value: z.string().overwrite(meantId).min(1).max(256).refine(isWellFormed),
    })
    .optional(),
  subject: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
};
const isOne = ({ handle, subject }: { handle?: unknown; subject?: unknown }) =>
  (handle === undefined) !== (subject === undefined);

export const ErasureBody = z
  .strictObject({
    ...Whom,
    reason: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{0,40}$/)
      .optional(),
    /** How somebody verified that the person asks: a word, such as `call-back`. */
    verified: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,40}$/)
      .optional(),
    /** True: it cannot be undone, whatever the policy allows. */
    complete: z.boolean().optional(),
    confirm: z.boolean().optional(),
  })
  .refine(isOne);

export const HoldBody = z
  .strictObject({
    ...Whom,
    ground: z.enum(GROUNDS),
    /** When it ends by itself. */
    until: z.iso.datetime({ offset: true }).pipe(z.coerce.date()).optional(),
    /** Who approved it, by the name of a role or of a seat. */
    approver: z
      .string()
      .regex(/^[a-z][a-z0-9.-]{1,60}$/)
      .optional(),
    /** SHA-256 of the written balancing test, in hexadecimal digits. */
    assessment: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  })
  .refine(isOne);

export type Wanted = {
  readonly handle?: Handle | undefined;
  readonly subject?: SubjectId | undefined;
  readonly reason?: string | undefined;
  readonly verified?: string | undefined;
  readonly complete?: boolean | undefined;
  readonly confirm?: boolean | undefined;
  /** The caller's own name for this demand: sent twice, it is one. */
  readonly repeatKey?: string | undefined;
};
