/** The shape of a rule: a pure question about a policy and its prose. */

import type { Policy } from '#language/policy';
import type { Path } from '#reading';
import type { FindingCode } from './codes.ts';
import type { Hit, Prose } from './prose.ts';

export type Row = Policy['promises'][number];

export type Context = {
  readonly policy: Policy;
  /** The promises, each with its place in their list. */
  readonly rows: readonly { readonly row: Row; readonly index: number }[];
  readonly prose: Prose;
};

/** What a rule raises: at a path of the document, or at the promise that quotes the hit. */
export type Raised = {
  readonly code: FindingCode;
  readonly message: string;
  readonly path?: Path;
  readonly hit?: Hit | undefined;
  readonly promises?: readonly string[];
  readonly expected?: string;
  readonly example?: string;
};

export type Rule = (context: Context) => Iterable<Raised>;
