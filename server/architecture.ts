/**
 * Who may know whom. Imports point down the layers; between folders of one layer only the pairs
 * below are allowed, and they make no circle. A folder's proofs stand apart from it: they know
 * `core/looking` and `core/promises` alone, and only the list of all proofs knows them.
 * `testing/tidy.test.ts` holds the tree to this table, and a review of a change to it is a review
 * of the design.
 */
export const LAYERS = ['base', 'platform', 'core', 'domains', 'oversight', 'edges'] as const;

export const ALLOWED_PAIRS: Readonly<Record<string, readonly string[]>> = {
  'platform/database': ['platform/log', 'platform/runtime'],
  'platform/events': ['platform/log', 'platform/runtime'],
  'platform/keeper': ['platform/log', 'platform/runtime'],
  'platform/jobs': ['platform/log', 'platform/database'],
  'platform/runtime': ['platform/log'],
  'core/policy': ['core/tenancy'],
  'core/audit': ['core/policy', 'core/tenancy'],
  'core/keys': ['core/audit', 'core/policy'],
  'core/purposes': ['core/audit', 'core/policy', 'core/tenancy'],
  'core/looking': ['core/keys'],
  'core/promises': ['core/looking', 'core/tenancy'],
  'core/domain': ['core/policy', 'core/promises', 'core/tenancy'],
  'domains/ingest': ['domains/consent'],
};

/** Files that may be longer than the cap: tables of facts and generated code. */
export const LONG_FILES: readonly string[] = [];
