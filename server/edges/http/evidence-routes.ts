/** Proofs when asked: one promise, one service or everything; and the days of past findings. */
import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import type { SignedDocument } from '#base/signed-document';
import type {
  Evidence,
  Report,
  ServiceInForce,
  ServicesInForce,
  Wanted,
} from '#oversight/evidence';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { sameOriginOnly } from './operator-routes.ts';
import { foreignPage } from './page.ts';
import { reportPage } from './report-page.ts';
import { operatorOnly } from './tenant-routes.ts';

export type EvidenceDeps = {
  readonly evidence: Pick<Evidence, 'prove' | 'days'>;
  readonly services: ServicesInForce;
  readonly clock: Clock;
  /** A signed report of one service. */
  readonly report: (service: ServiceInForce) => Promise<SignedDocument>;
};

const Asked = z.strictObject({
  tenant: z.string().max(40).optional(),
  promise: z.string().max(20).optional(),
  control: z.string().max(60).optional(),
});

const ROUNDS_MAX = 2;
const REPORT_KEPT_MS = 5_000;
const DAYS = 30;
const DAY_MS = 86_400_000;

/** One report is signed for everybody who asks within five seconds. */
function kept(report: EvidenceDeps['report']): EvidenceDeps['report'] {
  const made = new Map<string, { at: number; report: Promise<SignedDocument> }>();
  return (service) => {
    const earlier = made.get(service.tenant);
    if (earlier && performance.now() - earlier.at < REPORT_KEPT_MS) return earlier.report;
    const signing = report(service);
    made.set(service.tenant, { at: performance.now(), report: signing });
    signing.catch(() => made.delete(service.tenant));
    return signing;
  };
}

/** The routes of the evidence, for the app to mount. */
export function evidenceRoutes({ evidence, services, clock, report }: EvidenceDeps): DomainRoutes {
  const routes = new Hono<Edge>();
  let running = 0;

  /** Each finding as a line, as it is made: a round takes a minute, and whoever waits sees it go. */
  function proving(c: Context<Edge>, wanted: Wanted): Response {
    if (running >= ROUNDS_MAX)
      throw httpProblem('proofs-running', 'Wait for the proofs that are running.', {
        retryAfterSeconds: 10,
      });
    running += 1;
    c.header('content-type', 'application/x-ndjson');
    c.header('cache-control', 'no-store');
    return stream(c, async (out) => {
      try {
        for await (const finding of evidence.prove(wanted)) {
          if (out.aborted) return;
          await out.writeln(JSON.stringify(finding));
        }
      } finally {
        running -= 1;
      }
    });
  }

  const known = (tenant: string | undefined) => {
    const service = tenant === undefined ? undefined : services.get(tenant);
    if (tenant !== undefined && !service)
      throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    return service;
  };

  routes.post('/v1/operator/prove', async (c) => {
    operatorOnly(c);
    sameOriginOnly(c);
    const read = Asked.safeParse(await c.req.json().catch(() => ({})));
    if (!read.success)
      throw httpProblem(
        'body-not-understood',
        'Send JSON with "tenant", "promise", "control" or nothing.',
      );
    const { tenant, promise, control } = read.data;
    known(tenant);
    const named = services
      .list()
      .some(({ policy }) => policy.promises.some(({ id }) => id === promise));
    if (promise !== undefined && !named)
      throw httpProblem('not-found', 'No policy in force has a promise of this name.');
    return proving(c, {
      ...(tenant && { tenant }),
      ...(promise && { promise }),
      ...(control && { control }),
    });
  });

  routes.get('/v1/t/:tenant/promises/days', async (c) => {
    const service = known(c.req.param('tenant'));
    if (!service) return c.notFound();
    const from = new Date(clock.now().getTime() - DAYS * DAY_MS);
    return c.json({ days: await evidence.days(service.tenant, from) });
  });
  const reports = kept(report);
  routes.get('/v1/t/:tenant/report.json', async (c) => {
    const service = known(c.req.param('tenant'));
    if (!service) return c.notFound();
    c.header('cache-control', 'no-cache');
    c.header('content-disposition', `attachment; filename="${service.tenant}-report.json"`);
    return c.json(await reports(service));
  });

  routes.get('/v1/t/:tenant/report.html', async (c) => {
    const service = known(c.req.param('tenant'));
    if (!service) return c.notFound();
    const { document, signature } = await reports(service);
    const page = reportPage(document as Report, signature.kid);
    return foreignPage(page, new Headers({ 'cache-control': 'no-cache' }));
  });
  return { name: 'evidence', routes };
}
