/** A policy is also served at the permanent address that it publishes, whatever the host is called. */
import type { MiddlewareHandler } from 'hono';
import type { PromiseAnswers, ServiceInForce, ServicesInForce } from '#oversight/evidence';
import type { Edge } from './edge.ts';
import { foreignPage } from './page.ts';
import type { RenderPolicy } from './tenant-routes.ts';

export type AddressDeps = {
  readonly services: ServicesInForce;
  readonly promises: (service: ServiceInForce) => PromiseAnswers;
  readonly renderPolicy: RenderPolicy;
};

/** `example.org/data-policy` and `https://example.org/data-policy` are one address. */
const addressOf = ({ policy }: ServiceInForce) => policy.changes?.url?.replace(/^https?:\/\//, '');

export function publishedAddress(deps: AddressDeps): MiddlewareHandler<Edge> {
  return async (c, next) => {
    const { hostname, pathname } = new URL(c.req.url);
    const service = deps.services.list().find((one) => addressOf(one) === hostname + pathname);
    if (!service || (c.req.method !== 'GET' && c.req.method !== 'HEAD')) return next();
    const page = deps.renderPolicy(service, 'html', deps.promises(service));
    return foreignPage(page, new Headers({ 'cache-control': 'no-cache' }));
  };
}
