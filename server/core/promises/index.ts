/**
 * Controls: each enforces one kind of promise and, by another path, proves it.
 *
 * `prove` shares no code with `enforce`, looks with the engine's clock, returns what it saw, and
 * answers "not kept" when it cannot look.
 */
import type { controlCatalogue } from '@troth/policy-language';
import type { Loggable } from '#base/loggable';
import type { TenantTx } from '#core/tenancy';

export type ControlName = keyof typeof controlCatalogue & string;

/** What a proof found: whether the promise is kept, and the figures it judged by. */
export type Seen = { readonly kept: boolean; readonly saw: Readonly<Record<string, Loggable>> };

/** The parameters that a promise binds its control with (`with:`). */
export type Binding = Readonly<Record<string, unknown>>;

export type Control = {
  readonly name: ControlName;
  /** The sentence shown to the public. */
  readonly says: string;
  /** Does the work, for as much as one call may; returns how many rows it touched. */
  readonly enforce?: (tx: TenantTx, binding: Binding, now: Date) => Promise<number>;
  readonly prove?: (tx: TenantTx, binding: Binding) => Promise<Seen>;
};
