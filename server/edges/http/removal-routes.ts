/** Taking a service out: what it would cost, and doing it. For the operator. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import { recordRefusal } from '#core/audit';
import { outlookOn, type RemovalDeps, readRemovals, removeTenant } from '#oversight/removal';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { bodyAs, OPERATOR, sameOriginOnly } from './operator-routes.ts';
import { operatorOnly } from './tenant-routes.ts';

const Confirmed = z.strictObject({ confirm: z.string().max(64) });

function tenantOf(c: Context<Edge>): TenantId {
  try {
    return TenantId(c.req.param('tenant') ?? '');
  } catch {
    throw httpProblem('no-such-tenant', 'No service can have this name.');
  }
}

/** The routes, for the app to mount. */
export function removalRoutes(
  deps: RemovalDeps & Required<Pick<RemovalDeps, 'serving'>>,
): DomainRoutes {
  const { db, clock, serving } = deps;
  const routes = new Hono<Edge>();
  routes.use('/v1/operator/services/*', async (c, next) => {
    operatorOnly(c);
    if (c.req.method !== 'GET') sameOriginOnly(c);
    await next();
  });

  routes.get('/v1/operator/services/removed', async (c) => {
    const removals = await readRemovals(db.sql);
    return c.json({
      removals: removals.map(({ id, digest: _, actor, ...shown }) => ({
        id,
        ...shown,
        by: actor.kind,
      })),
    });
  });

  routes.get('/v1/operator/services/:tenant/removal', async (c) =>
    c.json(await outlookOn(deps, OPERATOR, tenantOf(c))),
  );

  routes.post('/v1/operator/services/:tenant/removal', async (c) => {
    const tenant = tenantOf(c);
    const { confirm } = await bodyAs(c, Confirmed);
    try {
      const removed = await removeTenant(deps, { actor: OPERATOR, tenant, confirm });
      const { revision, requestedAt, lost, finishedAt } = removed;
      return c.json({ tenant, revision, requestedAt, lost, finishedAt });
    } catch (thrown) {
      if (thrown instanceof Problem && thrown.status < 500 && serving.policies.find(tenant)) {
        const code = Word(thrown.code);
        const refusal = { tenant, actor: OPERATOR, action: 'service.remove', code } as const;
        await recordRefusal(db, { ...refusal, now: clock.now() });
      }
      throw thrown;
    }
  });
  return { name: 'removal', routes };
}
