/**
 * Why something was not stored, and how often: the closed vocabulary of the pipeline view.
 *
 * Counters are cells held by the plan, so that counting costs one addition and no look-up.
 */

/** Reasons for a whole event. The ones in `REFUSALS` are the sender's fault and are told to it. */
export const DROP_REASONS = [
  'over-rate',
  'wrong-schema',
  'undeclared-event',
  'duplicate',
  'under-age',
  'signal-gpc',
  'signal-dnt',
  'signal-do-not-sell',
  'no-consent',
  'scope-limited',
  'identify-refused',
  'identify-personal-data',
  'identify-no-consent',
  'link-refused',
  'person-erased',
  'not-retained',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export const REFUSALS: ReadonlySet<DropReason> = new Set<DropReason>([
  'wrong-schema',
  'identify-refused',
  'identify-personal-data',
  'identify-no-consent',
]);

/** Reasons for one field of an event that was otherwise kept. */
export const FIELD_REASONS = [
  'undeclared-field',
  'over-limit',
  'no-consent-field',
  'trait-not-allowed',
  'no-key-to-seal',
  'personal-content',
  'name-withheld',
] as const;
export type FieldReason = (typeof FIELD_REASONS)[number];

export type Cell = { count: number };

/** The counters of one data type of one tenant. */
export type TypeCounts = {
  readonly kept: Cell;
  readonly events: Readonly<Record<DropReason, Cell>>;
  readonly fields: Readonly<Record<FieldReason, Cell>>;
};

export type Counted = {
  readonly type: string;
  readonly reason: 'kept' | DropReason | FieldReason;
  readonly count: number;
};

const cells = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, { count: 0 }])) as Record<Name, Cell>;

/** Events whose type is not known are counted under this name; no data type can have it. */
export const NO_TYPE = '-';
const TYPES_MAX = 500;

/** All counters of one process since it started. */
export class PipelineCounts {
  readonly #tenants = new Map<string, Map<string, TypeCounts>>();

  /** The counters of a data type; the same object each time, also across policy revisions. */
  of(tenant: string, type: string): TypeCounts {
    let types = this.#tenants.get(tenant);
    if (types === undefined) {
      types = new Map();
      this.#tenants.set(tenant, types);
    }
    let counts = types.get(type);
    if (counts === undefined) {
      if (types.size >= TYPES_MAX) return this.of(tenant, NO_TYPE);
      counts = { kept: { count: 0 }, events: cells(DROP_REASONS), fields: cells(FIELD_REASONS) };
      types.set(type, counts);
    }
    return counts;
  }

  forget(tenant: string): void {
    this.#tenants.delete(tenant);
  }

  tenants(): string[] {
    return [...this.#tenants.keys()];
  }

  /** What was counted for a tenant so far; zero counts are left out. */
  ofTenant(tenant: string): Counted[] {
    const counted: Counted[] = [];
    for (const [type, counts] of this.#tenants.get(tenant) ?? []) {
      const all = Object.entries({ kept: counts.kept, ...counts.events, ...counts.fields });
      for (const [reason, { count }] of all) {
        if (count > 0) counted.push({ type, reason: reason as Counted['reason'], count });
      }
    }
    return counted;
  }
}
