/** How long a customer wants data kept, within what the policy offers. */

import { Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import type { PolicyInForce } from '#core/policy';
import { type Actor, authorize } from '#core/policy';
import { archiveDatabaseOf, eventTableOf } from '#core/tenancy';
import type { RetentionDeps } from './deps.ts';
import { retentionProblem } from './errors.ts';
import { type Choice, isPlace, limitsOf, type RuleIn, readChoice } from './limits.ts';
import { dropChoice, writeChoice } from './store.ts';
import { countriesIn, isThere, writeExpiry } from './store-events.ts';

export type Chosen = {
  readonly dataType: string;
  /** A country or a union (`EU`); left out, everybody. */
  readonly region?: string | undefined;
  /** An option of the policy, a duration, or null for the policy's own limit. */
  readonly choice: string | null;
};

const NEVER_SECONDS = 4_294_967_295;

/** @throws Problem retention-not-chosen, forbidden. */
export async function choose(
  deps: RetentionDeps,
  { inForce, actor }: { inForce: PolicyInForce; actor: Actor },
  { dataType, region = '', choice }: Chosen,
): Promise<void> {
  const { db, clock } = deps;
  const permit = authorize(inForce, actor, 'retention.choose');
  const limitMs = choice === null ? null : readChoice(inForce.policy, dataType, choice);
  if (choice === null && !inForce.policy.data[dataType]?.['retain-options']) {
    throw retentionProblem('retention-not-chosen', 'the policy offers no choice for this data');
  }
  const now = clock.now();
  await db.sql.begin(async (tx) => {
    if (choice === null || limitMs === null) await dropChoice(tx, permit, { dataType, region });
    else await writeChoice(tx, permit, { dataType, region, choice, limitMs }, now);
    await appendAudit(Object.assign(tx, { now }), permit, {
      event: 'retention.chosen',
      fields: {
        data: Word(dataType),
        ...(region === '' ? {} : { region: Word(region.toLowerCase()) }),
        ...(limitMs === null ? {} : { limitMs }),
      },
    });
  });
}

/**
 * Makes rows that are there end as the choices now say; safe to repeat.
 *
 * @param given.region  the one whose rows are touched; '' for all.
 */
export async function applyChoices(
  { events }: RetentionDeps,
  { tenant, policy }: PolicyInForce,
  given: { dataType: string; region: string; choices: readonly Choice[]; ruleIn: RuleIn },
): Promise<void> {
  const { dataType, region, choices, ruleIn } = given;
  const compiled = policy.compiled.data[dataType];
  if (!compiled || policy.data[dataType]?.from !== 'events') return;
  const { totalMs, regions, unknownMs } = limitsOf(policy, compiled, choices, ruleIn);
  const isOf = (country: string) =>
    region === '' ||
    (country === '' ? isPlace(region) : ruleIn({ [region]: 0 }, country) !== undefined);
  const { database, table } = eventTableOf(tenant, policy, dataType);
  const secondsOf = (ms: number | null) =>
    ms === null ? NEVER_SECONDS : Math.min(NEVER_SECONDS, Math.floor(ms / 1_000));
  for (const place of [
    { database, table },
    { database: archiveDatabaseOf(tenant), table },
  ]) {
    if (!(await isThere(events, place))) continue;
    const countries = (await countriesIn(events, place)).filter(isOf);
    if (countries.length === 0) continue;
    const seconds = countries.map((country) =>
      secondsOf(country === '' ? unknownMs : (ruleIn(regions, country) ?? totalMs)),
    );
    await writeExpiry(events, place, { countries, seconds });
  }
}
