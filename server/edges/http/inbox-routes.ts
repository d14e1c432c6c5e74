/** What the event store refused and the inbox kept: for the operator to see, and to try again. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { Actor } from '#core/policy';
import type { DomainRoutes, Edge } from './edge.ts';
import { bodyAs, OPERATOR, sameOriginOnly } from './operator-routes.ts';
import { operatorOnly } from './tenant-routes.ts';

type Stuck = { readonly id: string; readonly day: number };

export type InboxDeps = {
  list(): Promise<readonly Stuck[]>;
  /** @throws Problem inbox-row-unknown, inbox-refused-again. */
  retry(actor: Actor, id: string): Promise<unknown>;
};

const Which = z.union([
  z.strictObject({ id: z.string().max(20) }),
  z.strictObject({ all: z.literal(true) }),
]);

const DAY_MS = 86_400_000;
const dayOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

export function inboxRoutes({ list, retry }: InboxDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  routes.use('/v1/operator/inbox/*', async (c, next) => {
    operatorOnly(c);
    sameOriginOnly(c);
    await next();
  });
  routes.get('/v1/operator/inbox/stuck', async (c) => {
    const stuck = await list();
    return c.json({ stuck: stuck.map((one) => ({ ...one, day: dayOf(one.day) })) });
  });
  routes.post('/v1/operator/inbox/retry', async (c) => {
    const which = await bodyAs(c, Which);
    const ids = 'id' in which ? [which.id] : (await list()).map(({ id }) => id);
    const stored: unknown[] = [];
    // The first that is refused ends it: the rest are most likely refused for the same reason.
    for (const id of ids) stored.push(await retry(OPERATOR, id));
    return c.json({ stored });
  });
  return { name: 'inbox', routes };
}
