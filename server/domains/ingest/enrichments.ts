/**
 * The switches of the enrichments: each tenant may turn off what its policy says can be disabled,
 * and nothing else. A change counts for the events that arrive after it, on every server.
 */
import { Hono } from 'hono';
import type { Clock } from '#base/clock';
import { type TenantId, Word } from '#base/ids';
import { appendAudit } from '#core/audit';
import {
  type Actor,
  authorize,
  type Permit,
  type Policies,
  type PolicyInForce,
} from '#core/policy';
import { tenancyProblem } from '#core/tenancy';
import type { Database } from '#platform/database';
import { ingestProblem } from './errors.ts';
import { ENRICHMENTS, type Enrichment } from './plan.ts';
import { readSwitches, writeSwitch } from './store.ts';

export type EnrichmentState = {
  readonly name: Enrichment;
  readonly enabled: boolean;
  readonly default: boolean;
  readonly canDisable: boolean;
};

type Given = { readonly db: Pick<Database, 'sql'>; readonly inForce: PolicyInForce };

/** A day: what is meant to last longer is set for good. */
const SECONDS_MAX = 86_400;

/** The enrichments that the policy names, and how each is switched. */
export async function listEnrichments(
  { db, inForce }: Given,
  now: Date,
): Promise<EnrichmentState[]> {
  const { tenant, policy } = inForce;
  const { switches } = await readSwitches(db.sql, tenant, now);
  return ENRICHMENTS.flatMap((name) => {
    const declared = policy.ingest?.enrich?.[name];
    if (!declared) return [];
    const standard = declared.default === 'on';
    const canDisable = declared['can-disable'];
    const enabled = (canDisable ? switches[name] : undefined) ?? standard;
    return [{ name, enabled, default: standard, canDisable }];
  });
}

export type EnrichmentChange = {
  readonly permit: Permit<'enrichment.switch'>;
  readonly name: string;
  readonly enabled: boolean;
  /** After so many seconds it goes back by itself; undefined: it is set for good. */
  readonly forSeconds?: number | undefined;
  readonly now: Date;
};

/**
 * Switches one enrichment, and writes the audit entry, both or neither.
 *
 * @throws Problem enrichment-unknown, enrichment-not-optional
 */
export async function switchEnrichment(
  { db, inForce }: Given,
  { permit, name, enabled, forSeconds, now }: EnrichmentChange,
): Promise<void> {
  const known = ENRICHMENTS.find((one) => one === name);
  const declared = known && inForce.policy.ingest?.enrich?.[known];
  if (!known || !declared) {
    throw ingestProblem('enrichment-unknown', 'see the list of enrichments');
  }
  if (!declared['can-disable']) {
    throw ingestProblem('enrichment-not-optional', 'the policy keeps it as it is');
  }
  const until = forSeconds === undefined ? undefined : new Date(now.getTime() + forSeconds * 1_000);
  await db.sql.begin(async (tx) => {
    await writeSwitch(tx, permit, { enrichment: known, enabled, until, now });
    const lasting = forSeconds === undefined ? {} : { forSeconds };
    const fields = { enrichment: Word(known), enabled, ...lasting };
    await appendAudit(Object.assign(tx, { now }), permit, { event: 'enrichment.switched', fields });
  });
}

export type EnrichmentRoutesDeps = {
  readonly db: Pick<Database, 'sql'>;
  readonly policies: Policies;
  readonly clock: Clock;
  /** Who asks. @throws Problem for anyone but an operator. */
  readonly authenticate: (headers: Headers) => Actor | Promise<Actor>;
  /** Awaited before the answer, so that the next event of the caller is under the new switch. */
  readonly refresh?: (tenant: TenantId) => Promise<void>;
};

/** `GET` and `PUT /v1/t/:tenant/enrichments[/:name]`; mount them at the root. */
export function enrichmentRoutes({
  db,
  policies,
  clock,
  authenticate,
  refresh,
}: EnrichmentRoutesDeps): Hono {
  const routes = new Hono().basePath('/v1/t/:tenant/enrichments');
  const inForceOf = (tenant: string) => {
    const inForce = policies.find(tenant);
    if (!inForce) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
    return inForce;
  };
  routes.get('/', async (c) => {
    const inForce = inForceOf(c.req.param('tenant') ?? '');
    return c.json({ enrichments: await listEnrichments({ db, inForce }, clock.now()) });
  });
  routes.put('/:name', async (c) => {
    const inForce = inForceOf(c.req.param('tenant') ?? '');
    const actor = await authenticate(c.req.raw.headers);
    const permit = authorize(inForce, actor, 'enrichment.switch');
    const wanted = wantedIn(await c.req.json().catch(() => undefined));
    const now = clock.now();
    await switchEnrichment({ db, inForce }, { permit, name: c.req.param('name'), ...wanted, now });
    await refresh?.(inForce.tenant);
    return c.json({ enrichments: await listEnrichments({ db, inForce }, now) });
  });
  return routes;
}

/** @throws Problem ingest-json-broken */
function wantedIn(body: unknown): Pick<EnrichmentChange, 'enabled' | 'forSeconds'> {
  const { enabled, forSeconds } = (body ?? {}) as { enabled?: unknown; forSeconds?: unknown };
  const lasts =
    forSeconds === undefined ||
    (Number.isInteger(forSeconds) && Number(forSeconds) > 0 && Number(forSeconds) <= SECONDS_MAX);
  if (typeof enabled !== 'boolean' || !lasts) {
    const detail = 'send {"enabled": true}; {"enabled": false, "forSeconds": 60} lasts a while';
    throw ingestProblem('ingest-json-broken', detail);
  }
  return { enabled, forSeconds: forSeconds as number | undefined };
}
