/**
 * Promises: a sentence of a policy, the control that keeps it, and the proof that looks.
 *
 * A proof shares no code with what it checks: it looks from outside through a `Look`, says what it
 * saw, and answers with a gap when it could not look. `tidy` keeps the files of proofs from
 * importing anything else.
 */
import type { controlCatalogue } from '@troth/policy-language';
import type { Look } from '#core/looking';
import type { TenantTx } from '#core/tenancy';
import type { Seen } from './seen.ts';

export { eachType, wordsOf } from './bound.ts';
export { broken, gap, judged, kept, type Saw, type Seen, saw, span, term, terms } from './seen.ts';

export type ControlName = keyof typeof controlCatalogue & string;

/** The parameters that a promise binds its control with (`with:`). */
export type Binding = Readonly<Record<string, unknown>>;

/** How near to the fact a probe looks; the weakest is a value read back from where it was set. */
export type Strength = 'stored-bytes' | 'protocol' | 'api' | 'configuration';

export type Proof = {
  /** The control it proves; `configuration` for a promise that is bound to a value alone. */
  readonly control: ControlName | 'configuration';
  readonly strength: Strength;
  /** What this proof cannot see, as a sentence for the reader of the evidence. */
  readonly blindTo: string;
  /**
   * Begins what takes long, through `look.once`, at the start of the round; `prove` comes towards
   * its end.
   */
  prepare?(look: Look): Promise<unknown>;
  /** Looks, once. What it throws, and what takes it longer than a minute, is a gap. */
  prove(look: Look, binding: Binding): Promise<Seen>;
};

/** Declares a proof. It may run at any time, beside itself, and leaves nothing behind. */
export const defineProof = (proof: Proof): Proof => Object.freeze(proof);

/** What does the work of keeping, where it is work that comes round. */
export type Control = {
  readonly name: ControlName;
  /** Does as much as one call may; returns how many rows it touched. */
  readonly enforce: (tx: TenantTx, binding: Binding, now: Date) => Promise<number>;
};
