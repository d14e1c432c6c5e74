/**
 * A policy in force-able form: the document as written, frozen, with what follows from it.
 *
 * The document's own keys stand at the top (`policy.data`, `policy.purposes`); everything derived
 * is under `policy.compiled`, and the hash covers the document alone.
 */
import type { CategoryKey } from '#vocabulary';
import type { PolicyDocument } from './document.ts';
import type { Limit, Tiers } from './retention.ts';

export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export type FieldType =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'month'
  | 'country'
  | 'url-path'
  | 'json'
  | 'enum';

export type Sealing = 'subject' | 'vault' | 'end-to-end';

/** A field with its short form spelt out and its limit computed. */
export type CompiledField = {
  readonly name: string;
  readonly type: FieldType;
  /** Characters, or bytes for json; null where the type bounds itself. */
  readonly max: number | null;
  readonly choices: readonly string[] | null;
  readonly seal: Sealing | null;
  readonly category: CategoryKey | null;
  /** The minimum of its own limit, its data type's, and its category's. */
  readonly retain: Limit;
  readonly purposes: readonly string[];
};

export type CompiledData = {
  readonly id: string;
  /** The name of its table: the id with _ for -. */
  readonly table: string;
  readonly tiers: Tiers | null;
  /** The total of the tiers, or the shortest of it and what its one category allows. */
  readonly retain: Limit;
  /** Shorter limits that a region asks for. */
  readonly retainIn: Readonly<Record<string, Limit>>;
  readonly fields: Readonly<Record<string, CompiledField>>;
  readonly purposes: readonly string[];
};

export type CompiledPurpose = {
  readonly id: string;
  readonly useIri: string;
  readonly basisIri: string;
  /** Nothing may happen for it before the person said yes. */
  readonly asksConsent: boolean;
  readonly defaultOn: boolean;
  readonly data: readonly string[];
};

export type Compiled = {
  readonly data: Readonly<Record<string, CompiledData>>;
  readonly purposes: Readonly<Record<string, CompiledPurpose>>;
  /** Every name a purpose goes by, its id included → its id. */
  readonly purposeNames: Readonly<Record<string, string>>;
  readonly roles: Readonly<Record<string, readonly string[]>>;
};

export type Policy = DeepReadonly<PolicyDocument> & { readonly compiled: Compiled };

/** The value at a dotted path of the document; undefined where there is none. */
export function valueAt(policy: Policy, path: string): unknown {
  let value: unknown = policy;
  for (const step of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
