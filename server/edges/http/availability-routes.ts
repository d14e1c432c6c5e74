/** The availability as it was measured, for anybody. */
import { Hono } from 'hono';
import type { Availability } from '#oversight/availability';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';

/** @param availability  opens after the sockets that it asks over. */
export function availabilityRoutes(availability: () => Availability | undefined): DomainRoutes {
  const routes = new Hono<Edge>();
  routes.get('/v1/availability', async (c) => {
    const open = availability();
    if (!open) throw httpProblem('not-ready', 'Nothing has been measured yet.');
    return c.json(await open.published());
  });
  return { name: 'availability', routes };
}
