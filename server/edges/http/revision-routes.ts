/** Every revision of every policy, for anybody: what was promised, since when, by whom and why. */
import { diffPolicies, type Policy, readPolicy } from '@troth/policy-language';
import { type Context, Hono } from 'hono';
import type { TenantId } from '#base/ids';
import { listRevisions, type RevisionText, readRevision } from '#core/policy';
import type { ServicesInForce } from '#oversight/evidence';
import type { Database } from '#platform/database';
import type { DomainRoutes } from './app.ts';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';

export type RevisionDeps = { readonly db: Database; readonly services: ServicesInForce };

const policyIn = ({ source }: RevisionText): Policy | undefined =>
  readPolicy(source, { file: 'policy.yaml' }).policy;

/** What a revision changed against the one before it; everything, for the first. */
async function changesOf(
  db: Database,
  tenant: TenantId,
  now: RevisionText,
): Promise<readonly string[]> {
  const before = await readRevision(db, tenant, now.revision - 1);
  const [from, to] = [before && policyIn(before), policyIn(now)];
  return from && to ? diffPolicies(from, to).lines : [];
}

export function revisionRoutes({ db, services }: RevisionDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  const tenantOf = (c: Context<Edge>): TenantId => {
    const service = services.get(c.req.param('tenant') ?? '');
    if (!service) throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    return service.tenant;
  };

  routes.get('/v1/t/:tenant/policy/revisions', async (c) => {
    const revisions = await listRevisions(db, tenantOf(c));
    c.header('cache-control', 'no-cache');
    return c.json({
      revisions: revisions.map(({ tenant: _, actorKind, actorId: __, ...one }) => ({
        ...one,
        by: actorKind,
      })),
    });
  });

  routes.get('/v1/t/:tenant/policy/revisions/:revision', async (c) => {
    const tenant = tenantOf(c);
    const number = Number(c.req.param('revision'));
    const found = Number.isSafeInteger(number) ? await readRevision(db, tenant, number) : undefined;
    if (!found) throw httpProblem('not-found', 'The policy has no revision of this number.');
    const { revision, hash, document } = found;
    const changes = await changesOf(db, tenant, found);
    c.header('cache-control', 'no-cache');
    return c.json({ revision, hash, changes, policy: document });
  });
  return { name: 'revisions', routes };
}
