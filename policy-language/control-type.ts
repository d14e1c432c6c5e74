/**
 * What an entry of the control catalogue is: the name of one enforceable promise, the parameters
 * that a policy binds it with, and how strong the proof of it is. Entries hold no code that
 * enforces anything; the server registers `enforce` and `prove` under the same names.
 */
import type { z } from 'zod';

/** What a proof looks at, strongest first. */
export type Probe = 'stored-bytes' | 'protocol' | 'api' | 'configuration';

export type ControlEntry<With extends z.ZodType = z.ZodType> = {
  /** The folder of the product that keeps it: retention, consent, vault … */
  readonly area: string;
  /** One sentence that a member of the public understands. */
  readonly title: string;
  /** The parameters under `with:` in a promise. Always a strict object. */
  readonly with: With;
  readonly probe: Probe;
};

export type ControlCatalogue = Readonly<Record<string, ControlEntry>>;

/** Declares a part of the catalogue; keeps names and schemas literal for the type checker. */
export function defineControls<const Entries extends ControlCatalogue>(entries: Entries): Entries {
  return Object.freeze(entries);
}
