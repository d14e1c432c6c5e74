/**
 * Every revision of every policy, for anybody: what was promised, since when, by whom and why; and
 * a feed of what changed for clients.
 */
import { type Context, Hono } from 'hono';
import type { TenantId } from '#base/ids';
import { listRevisions, readRevision } from '#core/policy';
import type { ServicesInForce } from '#oversight/evidence';
import type { Database } from '#platform/database';
import { changesBetween, openChangelog } from './changelog.ts';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';

export type RevisionDeps = { readonly db: Database; readonly services: ServicesInForce };

export function revisionRoutes({ db, services }: RevisionDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  const changelog = openChangelog(db);
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
    const before = await readRevision(db, tenant, number - 1);
    const changes = changesBetween(before, found);
    c.header('cache-control', 'no-cache');
    return c.json({ revision, hash, changes, policy: document });
  });

  routes.get('/v1/t/:tenant/changelog.json', async (c) => {
    const tenant = tenantOf(c);
    c.header('cache-control', 'no-cache');
    c.header('content-type', 'application/feed+json');
    return c.body(
      JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        title: `${services.get(tenant)?.policy.title}: changes for clients`,
        items: await changelog(tenant),
      }),
    );
  });
  return { name: 'revisions', routes };
}
