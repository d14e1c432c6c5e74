import type { Policy } from '@troth/policy-language';
import { type PurposeId, SubjectId } from '#base/ids';

/** A row as the login of the purpose sees it: opaque ids and clear fields, nothing sealed. */
export type ReadRow = Readonly<Record<string, unknown>>;

/** Stands in a row that is about nobody in particular. */
export const NOBODY = SubjectId('0'.repeat(32));
/** How a row is marked (`mode`) whose person was identified. */
const IDENTIFIED = 2;

/**
 * The rows as far as they may be put together into what one person did.
 *
 * Where a policy asks people before it identifies them, a row says whose it is in a reading for
 * that very purpose only, and only where the person was identified. For everything else there are
 * steps, and nobody's journey.
 */
export function onlyFollowed(
  { identify }: Pick<Policy, 'identify'>,
  purpose: PurposeId,
  rows: ReadRow[],
): ReadRow[] {
  const asked = identify?.consent;
  if (asked === undefined) return rows;
  const isFor = purpose === asked;
  return rows.map((row) =>
    isFor && row['mode'] === IDENTIFIED ? row : { ...row, subject: NOBODY },
  );
}
