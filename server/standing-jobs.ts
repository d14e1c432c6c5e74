/**
 * Work that comes round by itself: keys whose day is over, and the rotation before it is overdue.
 */
import { parseDuration } from '@troth/policy-language';
import type { TransactionSql } from 'postgres';
import { z } from 'zod';
import type { SubjectId } from '#base/ids';
import { Problem } from '#base/problem';
import { defineJob, type Job, type JobContext } from '#core/domain';
import { type Keys, keysRotate, keysStatus, ROTATE_AFTER_DAYS } from '#core/keys';
import { authorize } from '#core/policy';
import type { Retention } from '#domains/retention';
import { LATE_DAYS, type LateDemands, type Rights } from '#domains/rights';
import { type Channel, tellOperator } from '#oversight/alerts';
import { areCanaries, canariesAmong, forgetCanaries, sweepDays } from '#oversight/evidence';
import type { Keeper } from '#platform/keeper';
import { sweepOperatorTokens } from './edges/http/index.ts';
import { mayWait, STARTER } from './tenants.ts';

const DAY_MS = 86_400_000;
/** GDPR, Articles 5, 17 and 32: limits, erasure, keys and their evidence are duties of the law. */
const DUTY = 'essential.legal_obligation';
/** As many as a strip shows, and a few for clocks that differ. */
const FINDING_DAYS = 35;

type Needs = Pick<JobContext, 'db' | 'policies' | 'clock'> & {
  keys: Keys;
  keeper: Keeper;
  rights: Rights;
  retention: Retention;
};

/** Destroys the keys that are due. Twice is harmless: what is destroyed is due no more. */
async function destroyDueKeys({ keys, clock }: Needs): Promise<void> {
  const lateUntil = new Date(clock.now().getTime() + LATE_DAYS * DAY_MS);
  // Some at a time: after a long downtime there are more.
  for (let left = true; left; ) {
    const { subjects, named } = await keys.destroyDue(lateUntil);
    left = subjects + named > 0;
  }
}

/**
 * The age from which on keys are rotated: a tenth before the shortest period that a policy
 * publishes, so that it is never exceeded. One keyring serves all.
 */
function rotateAfterDays(policies: Needs['policies']): number {
  const periods = policies.tenants().map((tenant) => {
    const published = policies.inForce(tenant).policy.security?.keys?.rotate;
    return published === undefined
      ? ROTATE_AFTER_DAYS
      : (0.9 * parseDuration(published).milliseconds) / DAY_MS;
  });
  return Math.min(ROTATE_AFTER_DAYS, ...periods);
}

/** Twice is harmless: after the first the epoch is young. */
async function rotateWhenDue({ keeper, db, policies, clock }: Needs): Promise<void> {
  const now = clock.now();
  const { ageDays } = await keysStatus(keeper, now);
  if (ageDays < rotateAfterDays(policies)) return;
  const permits = policies
    .tenants()
    .map((tenant) => authorize(policies.inForce(tenant), STARTER, 'key.rotate'));
  await keysRotate({ keeper, db, permits, now });
}

/** Days of findings that no page shows any more, and sessions that have ended. */
async function sweepOldDays({ db, clock }: Needs): Promise<void> {
  const now = clock.now();
  await sweepDays(db.sql, new Date(now.getTime() - FINDING_DAYS * DAY_MS));
  await sweepOperatorTokens(db, now);
}

/** An engine that is away for the moment; its job comes round again. */
const isAway = (thrown: unknown) => thrown instanceof Problem && thrown.status === 503;

/**
 * Catches up with what came due while the server was down; before it says that it is ready. What
 * cannot be done now (a log that cannot be written, a copy of the keyring out of reach) stays due:
 * its job asks again, and what is promised of it shows as broken.
 */
export async function catchUp(needs: Needs): Promise<void> {
  // What proofs planted in a round that was cut off waits: no published limit is about it.
  const sweep = () =>
    needs.retention.sweepAll({
      mayWait: (tenant, messages) => areCanaries(needs.db.sql, tenant, messages),
    });
  for (const due of [destroyDueKeys, rotateWhenDue, sweep]) {
    try {
      await due(needs);
    } catch (thrown) {
      if (!isAway(thrown) && !mayWait(thrown)) throw thrown;
    }
  }
}

/** Of a demand that a proof made, nobody but the proof is told. */
async function tellLate(
  tx: TransactionSql,
  channels: readonly Channel[],
  { tenant, late, withinMs, at }: LateDemands,
): Promise<void> {
  const canaries = await canariesAmong(
    tx,
    tenant,
    late.flatMap(({ subject }) => subject ?? []),
  );
  const isReal = (subject: SubjectId | null) => subject === null || !canaries.has(subject);
  const listening = ({ subject }: LateDemands['late'][number]) =>
    isReal(subject) ? 'operator' : (canaries.get(subject as SubjectId) ?? 'nobody');
  for (const [whom, demands] of Map.groupBy(late, listening)) {
    if (whom === 'nobody') continue;
    const first = Math.min(...demands.map(({ since }) => since.getTime()));
    const alert = {
      kind: 'demand.late',
      tenant,
      demands: demands.length,
      dueAt: new Date(first + withinMs).toISOString(),
      at: at.toISOString(),
    } as const;
    await tellOperator(tx, channels, alert, whom === 'operator' ? undefined : whom);
  }
}

const nothing = z.strictObject({});

export function standingJobs(needs: Needs & { channels: readonly Channel[] }): Job[] {
  return [
    defineJob({
      name: 'keys.destroy-due',
      use: DUTY,
      input: nothing,
      attemptsMax: 5,
      timeoutSeconds: 120,
      every: '7 * * * *',
      run: () => destroyDueKeys(needs),
    }),
    defineJob({
      name: 'retention.sweep',
      use: DUTY,
      input: nothing,
      attemptsMax: 3,
      timeoutSeconds: 3_600,
      // Often, because what lives for a day is swept every quarter of an hour; what lives long is
      // left alone until its own time comes, unless something is overdue. Twice is harmless.
      every: '*/10 * * * *',
      run: () => needs.retention.sweepAll(),
    }),
    defineJob({
      name: 'rights.walk-erasures',
      use: DUTY,
      input: nothing,
      attemptsMax: 1,
      timeoutSeconds: 3_600,
      every: '* * * * *',
      // Twice is harmless: each step is written down, and may be repeated.
      run: async () => {
        await needs.rights.walk();
        await needs.rights.endLateWindows();
      },
    }),
    defineJob({
      name: 'rights.watch-deadlines',
      use: DUTY,
      input: nothing,
      attemptsMax: 5,
      timeoutSeconds: 120,
      every: '11 * * * *',
      // Twice is harmless: a demand is told of once.
      run: () => needs.rights.watchDeadlines((tx, late) => tellLate(tx, needs.channels, late)),
    }),
    defineJob({
      name: 'keys.rotate-when-due',
      use: DUTY,
      input: nothing,
      attemptsMax: 5,
      timeoutSeconds: 900,
      every: '23 * * * *',
      run: () => rotateWhenDue(needs),
    }),
    ...evidenceJobs(needs),
  ] as Job[];
}

function evidenceJobs(needs: Needs): Job[] {
  return [
    defineJob({
      name: 'evidence.forget-canaries',
      use: DUTY,
      input: nothing,
      attemptsMax: 1,
      timeoutSeconds: 600,
      every: '* * * * *',
      // Of a round that came to its end there is nothing left. Twice is harmless.
      run: async (_, { db, events, policies }) => {
        const services = policies.tenants().map((tenant) => policies.inForce(tenant));
        const { keys, keeper } = needs;
        await forgetCanaries({ sql: db.admin, login: db, events, services, keys, keeper });
      },
    }),
    defineJob({
      name: 'evidence.sweep-days',
      use: DUTY,
      input: nothing,
      attemptsMax: 5,
      timeoutSeconds: 300,
      every: '41 3 * * *',
      // Twice is harmless: the second finds nothing that is old.
      run: () => sweepOldDays(needs),
    }),
  ] as Job[];
}
