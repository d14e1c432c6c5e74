import type { Clock } from '#base/clock';
import { KeyId, type TenantId } from '#base/ids';
import type { Actor, Permit, Policies } from '#core/policy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import type { Age } from './store-events.ts';

/** Records of a kind of their own (`from: consent`), which their domain deletes by age. */
export type AgedStore = {
  /** As a policy names where they come from. */
  readonly from: string;
  /** Data types of that origin which are something else. */
  readonly not?: readonly string[];
  /** Deletes what is older than `before`; safe to repeat. @returns how many went. */
  sweep(permit: Permit<'data.sweep'>, given: { before: Date; now: Date }): Promise<number>;
  age(tenant: TenantId): Promise<Age>;
};

/** What the platform keeps about itself and no policy speaks of. Safe to repeat. */
export type Chore = { readonly name: string; run(now: Date): Promise<number> };

export type Step = 'copied' | 'moved' | 'deleted';

export type RetentionDeps = {
  readonly db: Database;
  readonly events: Events;
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
  readonly stores: readonly AgedStore[];
  readonly chores: readonly Chore[];
  /** For tests of crashes. */
  readonly afterStep?: ((step: Step) => void | Promise<void>) | undefined;
};

export const SWEEPER: Actor = { kind: 'system', id: KeyId('retention') };
