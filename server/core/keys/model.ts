import type { KeyObject } from 'node:crypto';
import { SubjectId, type TenantId } from '#base/ids';

/** What a person is called by a client. It is turned into a blind index and goes no further. */
export type Handle = { readonly kind: 'user' | 'anonymous' | 'account'; readonly value: string };

/** A key that is open: in memory for at most a minute, and in no file. */
export type OpenKey = { readonly key: KeyObject; readonly keyId: Buffer };

/** A person's opaque id with their key. `NOBODY` for a key that a data type or a day shares. */
export type SubjectKey = OpenKey & {
  readonly subject: SubjectId;
  /** True when this call made the person known. */
  readonly created: boolean;
};

export const NOBODY = SubjectId('0'.repeat(32));

/** Where a sealed value belongs; bound to its ciphertext, so it opens nowhere else. */
export type SealPlace = {
  readonly tenant: TenantId;
  readonly table: string;
  /** Default: `sealed`, the one blob of an event. */
  readonly column?: string;
  readonly row: string;
  readonly subject: SubjectId | undefined;
  /** Of the policy whose schema the value was written under. */
  readonly revision: number;
};
