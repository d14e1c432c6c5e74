/** What every reading of rows keeps to, from whichever tier they are read. */
import type { Policy } from '@troth/policy-language';
import { PurposeId, type SubjectId, type TenantId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { purposeProblem } from './errors.ts';
import { NOBODY, onlyFollowed, type ReadRow } from './journeys.ts';

/** Who asked to be erased is in no reading from that moment on. */
type Hidden = {
  refresh(): Promise<void>;
  has(tenant: TenantId, subject: SubjectId): boolean;
};

/** Those of these people whose data may be read for the purpose, as they stand now. */
type Agreed = (
  inForce: PolicyInForce,
  purpose: PurposeId,
  subjects: readonly SubjectId[],
) => Promise<ReadonlySet<SubjectId>>;

/** How the people stand whom rows are about. */
export type People = { readonly hidden: Hidden; readonly agreed: Agreed };

/** The engine's time ends somewhere; nothing was received before 1970. */
const LAST_MS = Date.UTC(2299, 11, 31);
const subjectOf = (row: ReadRow) => String(row['subject']) as SubjectId;

/** The time in milliseconds since 1970, or the nearest that the engine knows. */
export const withinTime = (at: Date): number => Math.min(Math.max(at.getTime(), 0), LAST_MS);

/**
 * The purpose that a reading names, by its own or another of its names.
 *
 * @throws Problem purpose-not-stated, purpose-not-declared.
 */
export function purposeStated({ compiled }: Policy, name: string | undefined): PurposeId {
  if (name === undefined || name === '')
    throw purposeProblem('purpose-not-stated', 'Name the purpose that the data is read for.');
  const { purposeNames } = compiled;
  const purpose = Object.hasOwn(purposeNames, name) ? purposeNames[name] : undefined;
  if (purpose === undefined)
    throw purposeProblem('purpose-not-declared', 'Name a purpose of the policy in force.');
  return PurposeId(purpose);
}

/**
 * The rows as they may be shown for the purpose: without those of people who are hidden or do not
 * agree to it, and saying whose they are only where the policy lets people be followed.
 */
export async function shownRows(
  { hidden, agreed }: People,
  inForce: PolicyInForce,
  { purpose, read }: { purpose: PurposeId; read: readonly ReadRow[] },
): Promise<ReadRow[]> {
  const { tenant, policy } = inForce;
  await hidden.refresh();
  const people = read.map(subjectOf).filter((subject) => subject !== NOBODY);
  const willing = await agreed(inForce, purpose, people);
  const rows = read.filter((row) => {
    const subject = subjectOf(row);
    return subject === NOBODY || (willing.has(subject) && !hidden.has(tenant, subject));
  });
  return onlyFollowed(policy, purpose, rows);
}
