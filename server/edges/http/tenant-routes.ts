/** What the public may read of each service, and the live figures that want an operator. */
import { documentOf, unfilledIn } from '@troth/policy-language';
import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type {
  DataMap,
  PipelineWatch,
  PromiseAnswers,
  ServiceInForce,
  ServicesInForce,
} from '#oversight/evidence';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { foreignPage } from './page.ts';
import { findingsOf, summaryOf } from './views.ts';

export type RenderPolicy = (
  service: ServiceInForce,
  format: 'html' | 'markdown',
  promises: PromiseAnswers,
) => string;

export type TenantDeps = {
  services: ServicesInForce;
  promises: (service: ServiceInForce) => PromiseAnswers;
  dataMap: (service: ServiceInForce, operator: boolean) => Promise<DataMap>;
  pipeline: PipelineWatch;
  renderPolicy: RenderPolicy;
};

const STREAMS_MAX = 64;
const STREAM_SECONDS_MAX = 3_600;

/** @throws Problem operator-only, database-unavailable. */
export const operatorOnly = (c: Context<Edge>) => {
  if (c.var.operator) return;
  if (c.var.unseen) throw c.var.unseen;
  throw httpProblem('operator-only', 'Open the link that the server printed when it started.');
};

/** Answers 304 when the caller already holds this revision. */
function notChanged(c: Context<Edge>, tag: string): Response | null {
  c.header('etag', tag);
  c.header('cache-control', 'no-cache');
  return c.req.header('if-none-match') === tag ? c.body(null, 304) : null;
}

export function tenantRoutes(deps: TenantDeps): Hono<Edge> {
  const { services, promises, dataMap, pipeline, renderPolicy } = deps;
  const routes = new Hono<Edge>();
  const of = (c: Context<Edge>): ServiceInForce => {
    const service = services.get(c.req.param('tenant') ?? '');
    if (!service) throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    return service;
  };

  routes.get('/v1/tenants', (c) => {
    const { operator } = c.var;
    const tenants = services
      .list()
      .map((service) =>
        summaryOf(
          service,
          promises(service).counts,
          operator ? pipeline.view(service.tenant) : null,
        ),
      );
    c.header('vary', 'Cookie');
    return c.json({ operator, tenants });
  });

  routes.get('/v1/t/:tenant/promises', (c) => c.json(promises(of(c))));

  routes.get('/v1/t/:tenant/prose', (c) => {
    const service = of(c);
    if (service.prose === undefined)
      throw httpProblem('prose-missing', 'This policy names no published text.');
    return c.json({ file: service.policy.prose ?? '', lines: service.prose.split('\n') });
  });

  routes.get('/v1/t/:tenant/findings', (c) => c.json(findingsOf(of(c))));

  routes.get('/v1/t/:tenant/policy', (c) => {
    const { hash, revision, policy } = of(c);
    return notChanged(c, `"${hash}"`) ?? c.json({ hash, revision, policy: documentOf(policy) });
  });

  routes.get('/v1/t/:tenant/policy.html', (c) => {
    const service = of(c);
    const page = renderPolicy(service, 'html', promises(service));
    const headers = new Headers({ 'cache-control': 'no-cache' });
    if (unfilledIn(service.policy).length > 0) headers.set('x-robots-tag', 'noindex');
    return foreignPage(page, headers);
  });

  routes.get('/v1/t/:tenant/policy.md', (c) => {
    const service = of(c);
    c.header('content-type', 'text/markdown; charset=utf-8');
    return c.body(renderPolicy(service, 'markdown', promises(service)));
  });

  routes.get('/v1/t/:tenant/data-map', async (c) => {
    c.header('vary', 'Cookie');
    return c.json(await dataMap(of(c), c.var.operator));
  });

  routes.get('/v1/t/:tenant/pipeline', (c) => {
    operatorOnly(c);
    return c.json(pipeline.view(of(c).tenant));
  });

  routes.get('/v1/t/:tenant/pipeline/stream', pipelineStream(deps, of));
  return routes;
}

/** One event a second, each the whole view: a page that missed some has missed nothing. */
function pipelineStream({ pipeline }: TenantDeps, of: (c: Context<Edge>) => ServiceInForce) {
  let open = 0;
  return (c: Context<Edge>): Response => {
    operatorOnly(c);
    const { tenant } = of(c);
    if (open >= STREAMS_MAX)
      throw httpProblem('streams-exhausted', 'Close another live page first.', {
        retryAfterSeconds: 10,
      });
    open += 1;
    return streamSSE(c, async (stream) => {
      let wake = () => {};
      const stop = pipeline.subscribe(() => wake());
      stream.onAbort(() => wake());
      try {
        for (let tick = 0; tick < STREAM_SECONDS_MAX && !stream.aborted; tick++) {
          const data = JSON.stringify(pipeline.view(tenant));
          await stream.writeSSE({ event: 'pipeline', data });
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        open -= 1;
        stop();
      }
    });
  };
}
