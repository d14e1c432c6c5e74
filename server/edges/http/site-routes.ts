/** What belongs to the origin and not to one service: health, well-known files, the operator. */
import { policySchema } from '@troth/policy-language';
import { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Clock } from '#base/clock';
import type { ServiceInForce, ServicesInForce } from '#oversight/evidence';
import type { Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { LINK_DAYS, OPERATOR_COOKIE, type Operator, SESSION_SECONDS } from './operator.ts';
import { sameOriginOnly } from './operator-routes.ts';
import { htmlPage } from './page.ts';
import { operatorOnly } from './tenant-routes.ts';

export type SiteDeps = {
  operator: Operator;
  clock: Clock;
  services: ServicesInForce;
  /** Which parts are ready; a part that is not is named in the answer. */
  ready: () => Promise<Readonly<Record<string, boolean>>>;
  /** The date from which this server has honoured Global Privacy Control, YYYY-MM-DD. */
  gpcSince: string;
  /** Where a weakness can be reported, as URIs (RFC 9116). */
  securityContacts: readonly string[];
};

const SECURITY_TEXT_DAYS = 180;

export function siteRoutes(deps: SiteDeps): Hono<Edge> {
  const { operator, clock } = deps;
  const routes = new Hono<Edge>();

  routes.get('/healthz', (c) => c.json({ status: 'ok' }));

  routes.get('/policy.schema.json', (c) => {
    c.header('content-type', 'application/schema+json');
    c.header('cache-control', 'public, max-age=3600');
    return c.body(JSON.stringify(policySchema()));
  });

  routes.get('/readyz', async (c) => {
    const parts = await deps.ready();
    const missing = Object.keys(parts).filter((part) => !parts[part]);
    if (missing.length > 0)
      throw httpProblem('not-ready', `Waiting for ${missing.join(', ')}.`, {
        retryAfterSeconds: 1,
      });
    return c.json({ status: 'ready', parts });
  });

  routes.get('/.well-known/gpc.json', (c) => {
    c.header('cache-control', 'public, max-age=86400');
    return c.json({ gpc: true, lastUpdate: deps.gpcSince });
  });

  routes.get('/.well-known/security.txt', (c) => {
    // One origin carries several services: each names its own contact, and its policy says the
    // rest.
    const emailOf = ({ policy }: ServiceInForce) => policy.controller.contacts['security']?.email;
    const reported = deps.services.list().filter((service) => emailOf(service) !== undefined);
    const theirs = reported.map((service) => `mailto:${emailOf(service)}`);
    const contacts = new Set([...theirs, ...deps.securityContacts]);
    const expires = new Date(clock.now().getTime() + SECURITY_TEXT_DAYS * 86_400_000);
    const lines = [
      ...[...contacts].map((contact) => `Contact: ${contact}`),
      `Expires: ${expires.toISOString().slice(0, 10)}T00:00:00Z`,
      'Preferred-Languages: en',
      ...reported.map(({ tenant }) => `Policy: ${c.var.origin}/v1/t/${tenant}/policy.html`),
    ];
    c.header('content-type', 'text/plain; charset=utf-8');
    return c.body(`${lines.join('\n')}\n`);
  });

  // A page and not a redirect: a link followed from a mail is a cross-site navigation, and the
  // browser would not send a SameSite=Strict cookie along with the redirect.
  routes.get('/operator', async (c) => {
    // A preview of the link must not spend it.
    if (c.req.method === 'HEAD') return c.body(null, 204);
    const { cookie } = await operator.enter(c.req.query('token') ?? '');
    setCookie(c, OPERATOR_COOKIE, cookie, {
      httpOnly: true,
      sameSite: 'Strict',
      secure: c.var.secure,
      path: '/',
      maxAge: SESSION_SECONDS,
    });
    const headers = new Headers({ 'cache-control': 'no-store', refresh: '0; url=/' });
    for (const line of c.res.headers.getSetCookie()) headers.append('set-cookie', line);
    const main = '<h1>You are the operator</h1><p><a href="/">To the console</a></p>';
    return htmlPage({ title: 'Operator', main, headers });
  });

  routes.post('/v1/operator/links', async (c) => {
    operatorOnly(c);
    sameOriginOnly(c);
    c.header('cache-control', 'no-store');
    return c.json({ path: `/operator?token=${await operator.newLink()}`, days: LINK_DAYS }, 201);
  });

  routes.post('/v1/operator/leave', async (c) => {
    sameOriginOnly(c);
    const cookie = getCookie(c, OPERATOR_COOKIE);
    if (cookie) {
      await operator.leave(cookie);
      deleteCookie(c, OPERATOR_COOKIE, { path: '/', secure: c.var.secure });
    }
    return c.body(null, 204);
  });
  return routes;
}
