/** Reading events: for an operator, for a stated purpose, and never without one. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { KeyId } from '#base/ids';
import type { Actor, Policies } from '#core/policy';
import { type ReadingNeeds, readEvents } from '#core/purposes';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { sameOriginOnly } from './operator-routes.ts';
import { operatorOnly } from './tenant-routes.ts';

export type EventDeps = ReadingNeeds & {
  readonly policies: Policies;
  readonly clock: Clock;
};

const Instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const Asked = z.strictObject({
  data: z.string().max(60),
  purpose: z.string().max(60).optional(),
  limit: z.int().min(1).max(1_000).default(100),
  from: Instant.optional(),
  until: Instant.optional(),
});

const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };

export function eventRoutes({ policies, clock, ...needs }: EventDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  routes.post('/v1/t/:tenant/events/read', async (c) => {
    operatorOnly(c);
    sameOriginOnly(c);
    const inForce = policies.find(c.req.param('tenant'));
    if (!inForce) throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    const read = Asked.safeParse(await c.req.json().catch(() => undefined));
    if (!read.success)
      throw httpProblem(
        'body-not-understood',
        'Send JSON with "data", "purpose", "limit" and times.',
      );
    const { data: dataType, ...rest } = read.data;
    const asked = { ...rest, actor: OPERATOR, dataType, now: clock.now() };
    return c.json({ rows: await readEvents(needs, inForce, asked) });
  });
  return { name: 'events', routes };
}
