/**
 * What putting a policy into force would do, before anything is done: tables, grants, limits with
 * the rows they would delete, purposes, cookies, clocks, prices, and whether people must be told
 * first.
 */
import { policyHash } from '#language/compile';
import { parseDuration } from '#language/duration';
import type { Policy } from '#language/policy';
import { lineOf } from './diff.ts';
import { otherChanges, type Step, stepsBetween } from './steps.ts';

export type PlanFacts = {
  readonly now: Date;
  /** How many rows of a data type were received before the cut-off; see `rowsToCount`. */
  readonly rowsOlderThan?: (data: string, cutoff: Date) => number;
};

export type PolicyPlan = {
  readonly from: { readonly version: string; readonly hash: string } | null;
  readonly to: { readonly version: string; readonly hash: string };
  /** True when people lose by the change, so that they must be told before it. */
  readonly material: boolean;
  readonly reasons: readonly string[];
  /** The first day (UTC, year-month-day) on which the new policy may take effect. */
  readonly earliest: string;
  readonly rowsDeleted: number;
  readonly steps: readonly Step[];
  /** What else the document says otherwise, a line each: it makes a revision, and no step. */
  readonly texts: readonly string[];
};

const EPOCH: PlanFacts = { now: new Date(0) };

/**
 * Plans the change from the policy in force (undefined at the first time) to the next one.
 * Without facts no rows are counted and no notice is added to the day of effect.
 */
export function planChange(
  current: Policy | undefined,
  next: Policy,
  facts: PlanFacts = EPOCH,
): PolicyPlan {
  const cutoffs = new Map(
    rowsToCount(current, next, facts.now).map((row) => [row.data, row.cutoff]),
  );
  const steps = stepsBetween(current, next).map((step): Step => {
    const cutoff = step.section === 'limits' ? cutoffs.get(step.name) : undefined;
    if (!cutoff || !facts.rowsOlderThan) return step;
    const rowsDeleted = facts.rowsOlderThan(step.name, cutoff);
    return { ...step, rowsDeleted, text: `${step.text}; deletes ${rowsDeleted} rows at once` };
  });
  const reasons = steps.filter(({ material }) => material).map(({ text }) => text);
  const material = current !== undefined && reasons.length > 0;
  return {
    from: current ? { version: current.version, hash: policyHash(current) } : null,
    to: { version: next.version, hash: policyHash(next) },
    material,
    reasons: material ? reasons : [],
    earliest: material ? afterNotice(current, next, facts) : next.effective,
    rowsDeleted: steps.reduce((sum, step) => sum + (step.rowsDeleted ?? 0), 0),
    steps,
    texts: current ? otherChanges(current, next, steps).map(lineOf) : [],
  };
}

/** The counts that a plan asks the engines for: rows that a new or shorter limit would delete. */
export function rowsToCount(
  current: Policy | undefined,
  next: Policy,
  now: Date,
): { data: string; cutoff: Date }[] {
  const rows: { data: string; cutoff: Date }[] = [];
  for (const { id, retain } of Object.values(next.compiled.data)) {
    const before = current?.compiled.data[id]?.retain.milliseconds ?? Number.POSITIVE_INFINITY;
    if (retain.milliseconds === null || retain.milliseconds >= before) continue;
    rows.push({ data: id, cutoff: new Date(now.getTime() - retain.milliseconds) });
  }
  return rows;
}

/** The notice that the policy in force promised, not the one that would replace it. */
function afterNotice(current: Policy, next: Policy, { now }: PlanFacts): string {
  const notice = current.changes?.['material-notice'];
  if (notice === undefined || now.getTime() === 0) return next.effective;
  const told = new Date(now.getTime() + parseDuration(notice).milliseconds);
  const day = told.toISOString().slice(0, 10);
  // Days written year first compare as text.
  return [day, next.effective].sort()[1] ?? day;
}
