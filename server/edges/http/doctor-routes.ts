import { Hono } from 'hono';
import type { DomainRoutes, Edge } from './edge.ts';
import { operatorOnly } from './tenant-routes.ts';

/** Something that is not as it should be. */
export type Ailment = {
  /** `wrong` costs data or breaks a promise; a `warning` is a choice that one may come to regret. */
  readonly severity: 'wrong' | 'warning';
  readonly what: string;
  /** The next thing to type or to do. */
  readonly type: string;
};

/** For the operator: what ails the installation. */
export function doctorRoutes(look: () => Promise<readonly Ailment[]>): DomainRoutes {
  const routes = new Hono<Edge>();
  routes.get('/v1/operator/doctor', async (c) => {
    operatorOnly(c);
    c.header('cache-control', 'no-store');
    return c.json({ ailments: await look() });
  });
  return { name: 'doctor', routes };
}
