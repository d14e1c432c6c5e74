/** The keys that a service's applications send with: issued, listed and revoked by the operator. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { KeyId } from '#base/ids';
import type { Policies } from '#core/policy';
import {
  applicationKeys,
  issueApplicationKey,
  type KeyDesk,
  revokeApplicationKey,
  SCOPES,
} from '#domains/ingest';
import type { Database } from '#platform/database';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { bodyAs, OPERATOR, sameOriginOnly } from './operator-routes.ts';
import { operatorOnly } from './tenant-routes.ts';

export type WriteKeyDeps = {
  readonly db: Pick<Database, 'sql'>;
  readonly policies: Policies;
  readonly clock: Clock;
};

const Wanted = z.strictObject({
  application: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  origins: z
    .array(z.union([z.literal('*'), z.url().regex(/^https?:\/\/[^/]+$/)]))
    .min(1)
    .max(64)
    .optional(),
});
const ID = /^[A-Za-z0-9]{12}$/;

export function writeKeyRoutes({ db, policies, clock }: WriteKeyDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  const path = '/v1/operator/t/:tenant/write-keys';
  routes.use(`${path}/*`, async (c, next) => {
    operatorOnly(c);
    sameOriginOnly(c);
    await next();
  });
  const deskOf = (c: Context<Edge>): KeyDesk => {
    const inForce = policies.find(c.req.param('tenant') ?? '');
    if (!inForce) throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    c.header('cache-control', 'no-store');
    return { db, inForce, actor: OPERATOR, now: clock.now() };
  };

  routes.get(path, async (c) => c.json({ keys: await applicationKeys(deskOf(c)) }));

  routes.post(path, async (c) => {
    const desk = deskOf(c);
    const { id, text } = await issueApplicationKey(desk, await bodyAs(c, Wanted));
    return c.json({ id, key: text }, 201);
  });

  routes.delete(`${path}/:id`, async (c) => {
    const id = c.req.param('id');
    if (!ID.test(id))
      throw httpProblem('not-found', 'A key is named by its 12 letters and digits.');
    await revokeApplicationKey(deskOf(c), KeyId(id));
    return c.body(null, 204);
  });
  return { name: 'write-keys', routes };
}
