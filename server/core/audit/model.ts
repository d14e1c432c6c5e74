import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json';
import { type Brand, KeyId, type SubjectId, TenantId, type Word } from '#base/ids';
import type { Loggable } from '#base/loggable';
import { leafHash } from '#base/merkle';
import type { Action, Actor } from '#core/policy';
import { ENTRY_BYTES_MAX } from '#platform/tiles';

/** What happened, as noun.past-participle: `consent.recorded`, `key.destroyed`. */
export type AuditEvent = `${string}.${string}`;

/** Names an intent until it is settled. A UUID. */
export type IntentId = Brand<'IntentId'>;

/** Personal values that an act was about. Only commitments to them are stored. */
export type Personal = {
  readonly values: Readonly<Record<string, string>>;
  /** At least 16 random bytes, for this entry alone. */
  readonly salt: Uint8Array;
  /** The same salt, sealed under the person's key: it can be opened for as long as the key lives. */
  readonly sealedSalt: Uint8Array;
};

/** What a caller says about an act; who, when and under which revision follow from the permit. */
export type AuditAct = {
  readonly event: AuditEvent;
  readonly subject?: SubjectId;
  readonly fields?: Readonly<Record<string, Loggable>>;
  readonly personal?: Personal;
};

export type Refusal = {
  readonly tenant: TenantId;
  readonly actor: Actor;
  readonly action: Action;
  /** The problem's code. */
  readonly code: Word;
  readonly subject?: SubjectId;
  /** How many of this kind the entry stands for, where they are grouped. */
  readonly count?: number;
  readonly now: Date;
};

/**
 * Whose log holds what concerns no single service: sessions of the operator, strangers who name no
 * service. No service can be called that: a name does not end in a hyphen.
 */
export const INSTALLATION = TenantId('installation-');

/** Somebody who showed no key, or none that is genuine. */
export const STRANGER: Actor = { kind: 'stranger', id: KeyId('nobody') };

export type EntryKind = 'act' | 'refusal' | 'intent' | 'outcome';

/** An entry as it is hashed. `null` where there is nothing, so that nothing can be added later. */
export type AuditEntry = {
  readonly id: string;
  readonly tenant: TenantId;
  readonly at: Date;
  readonly kind: EntryKind;
  readonly event: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly action: string;
  readonly subject: SubjectId | null;
  readonly fields: Readonly<Record<string, number | boolean | string>>;
  readonly commitments: Readonly<Record<string, string>> | null;
  readonly revision: number | null;
  readonly intent: string | null;
};

const SALT_BYTES_MIN = 16;
/** Everything that a branded word may be made of, and nothing that an address or a name needs. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9._:+/-]{0,127}$/;

/** Words, figures and switches only. The type says so already; this holds where a cast lied. */
export function checkFields(fields: Readonly<Record<string, Loggable>>) {
  for (const [name, value] of Object.entries(fields)) {
    assert.match(name, /^[a-z][A-Za-z0-9]{0,39}$/);
    if (typeof value === 'string') assert.match(value, WORD, `${name} is not a word`);
  }
  return fields;
}

/**
 * The commitment to one value: SHA-256 over the salt and the named value, in hexadecimal digits.
 * Length-prefixed by JSON's own quoting, so that no two pairs give the same bytes.
 */
export function commitmentOf(salt: Uint8Array, name: string, value: string): string {
  assert.ok(salt.length >= SALT_BYTES_MIN, 'a salt has at least 16 bytes');
  return createHash('sha256')
    .update(salt)
    .update(canonicalJson([name, value]))
    .digest('hex');
}

export function commitmentsOf({ values, salt }: Personal): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, commitmentOf(salt, name, value)]),
  );
}

/**
 * The hash of an entry as a leaf of a Merkle tree: SHA-256(0x00 || canonical JSON).
 *
 * @see RFC 6962 section 2.1; RFC 8785 for the canonical form. The version stands inside, so that a
 *      later shape cannot be taken for this one.
 */
export const leafHashOf = (entry: AuditEntry): Buffer => leafHash(leafBytesOf(entry));

/** What stands in the log: the canonical JSON of an entry. */
export function leafBytesOf({ at, ...rest }: AuditEntry): Buffer {
  const bytes = Buffer.from(canonicalJson({ v: 1, at: at.toISOString(), ...rest }));
  assert.ok(bytes.length <= ENTRY_BYTES_MAX, 'an entry is longer than a log can hold');
  return bytes;
}
