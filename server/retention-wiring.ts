/** Retention, joined to what it sweeps: the tables of events, and each domain's own records. */
import type { Clock } from '#base/clock';
import { auditAge, cutAudit } from '#core/audit';
import type { Policies } from '#core/policy';
import { inTenant, type TenantTx } from '#core/tenancy';
import { receiptsAge, sweepReceipts } from '#domains/consent';
import { forgetCounts, ruleIn } from '#domains/ingest';
import {
  type AgedStore,
  type Chore,
  openRetention,
  type Retention,
  type RetentionDeps,
  type RetentionRoutesDeps,
  retentionRoutes,
} from '#domains/retention';
import { erasuresAge, sweepErasures } from '#domains/rights';
import type { Database } from '#platform/database';
import type { Log } from '#platform/log';
import { type DomainRoutes, httpProblem, operatorAsking } from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';

/** Figures of the pipeline, which are about nobody. */
const COUNTS_KEPT_MS = 400 * 86_400_000;

type Needs = { readonly db: Database; readonly clock: Clock };

/** Records that a role may delete by age and nobody else may delete at all. */
function agedRecords(
  { db, clock }: Needs,
  given: Pick<AgedStore, 'from' | 'not'> & {
    sweep(tx: TenantTx, before: Date): Promise<number>;
    age(tx: TenantTx): ReturnType<AgedStore['age']>;
  },
): AgedStore {
  const role = 'troth_sweeper';
  const { sweep, age, ...named } = given;
  return {
    ...named,
    sweep: ({ tenant }, { before, now }) =>
      inTenant(db, { tenant, role, now }, (tx) => sweep(tx, before)),
    age: (tenant) => inTenant(db, { tenant, role, now: clock.now() }, age),
  };
}

const storesOf = (needs: Needs): AgedStore[] => [
  agedRecords(needs, { from: 'consent', sweep: sweepReceipts, age: receiptsAge }),
  agedRecords(needs, {
    from: 'rights',
    // What a person exported is an object with a life of its own.
    not: ['exports'],
    sweep: (tx, before) => sweepErasures(tx, tx.tenant, before),
    age: (tx) => erasuresAge(tx, tx.tenant),
  }),
  {
    from: 'audit',
    sweep: async (permit, given) => (await cutAudit(needs.db, permit, given)).entries,
    age: (tenant) => auditAge(needs.db, tenant),
  },
];

const choresOf = ({ db }: Needs): Chore[] => [
  {
    name: 'pipeline-figures',
    run: (now) => forgetCounts(db.sql, new Date(now.getTime() - COUNTS_KEPT_MS)),
  },
];

type Given = Foundation & {
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
};

export async function wireRetention(
  stack: AsyncDisposableStack,
  { db, events, policies, clock, log }: Given,
): Promise<Retention> {
  const needs = { db, clock };
  const deps: RetentionDeps = {
    db,
    events,
    policies,
    clock,
    log,
    stores: storesOf(needs),
    chores: choresOf(needs),
  };
  return stack.adopt(await openRetention(deps, ruleIn), (open) => open.close());
}

/** Its routes, for the operator alone. */
export function retaining(deps: Omit<RetentionRoutesDeps, 'authenticate'>): DomainRoutes {
  const routes = retentionRoutes({
    ...deps,
    authenticate(c) {
      const operator = operatorAsking(c);
      if (!operator) throw httpProblem('operator-only', 'Open the link that the server printed.');
      return operator;
    },
  });
  return { name: 'retention', routes };
}
