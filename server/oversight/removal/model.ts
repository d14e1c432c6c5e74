/** The words of a removal: what is lost, what stays, how far it has come. */
import type { Brand, TenantId } from '#base/ids';
import type { Actor } from '#core/policy';
import type { Held } from '#core/tenancy';

export type RemovalId = Brand<'RemovalId'>;

export type Removal = {
  readonly id: RemovalId;
  readonly tenant: TenantId;
  /** The revision that was in force last. */
  readonly revision: number;
  /** SHA-256 of the id: its name in the forget journal. */
  readonly digest: string;
  readonly actor: Actor;
  readonly requestedAt: Date;
  readonly lost: readonly Held[];
  /** Null while steps are left. */
  readonly finishedAt: Date | null;
};

/** What a removal would take, counted now. */
export type Outlook = {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly lost: readonly Held[];
  /** Demands of people that are under way: everything that they ask for happens, to everybody. */
  readonly openErasures: number;
  /** While one stands nothing is taken out. */
  readonly holds: number;
  readonly stays: readonly Held[];
};

/** Between two of them a crash may happen; the next start begins again at the first. */
export type Step = 'recorded' | 'journalled' | 'shredded' | 'emptied' | 'dropped';
