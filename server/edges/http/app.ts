/** Mounts every route on one app and gives all of them the same manners. */
import { randomUUID } from 'node:crypto';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { getCookie } from 'hono/cookie';
import { RequestId } from '#base/ids';
import { databaseAway } from '#platform/database';
import type { Log } from '#platform/log';
import { answerProblem, answerThrown, type RecordRefusal } from './answers.ts';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { type FileDeps, fileRoutes } from './file-routes.ts';
import { securityHeaders } from './headers.ts';
import { openApiOf } from './open-api.ts';
import { OPERATOR_COOKIE } from './operator.ts';
import { publishedAddress } from './published-address.ts';
import { type SiteDeps, siteRoutes } from './site-routes.ts';
import { type TenantDeps, tenantRoutes } from './tenant-routes.ts';

export type AppDeps = SiteDeps &
  TenantDeps &
  FileDeps & {
    log: Log;
    /** Puts on record that an act of the operator's was refused; before the answer. */
    recordRefusal?: RecordRefusal;
    version: string;
    domains: readonly DomainRoutes[];
    /** Host names, without port, that this server answers for. Empty: any. */
    hosts: readonly string[];
    /** Where people reach the server: scheme, host and port. Its host is to be among `hosts`. */
    publicUrl?: string | undefined;
  };

/** What somebody may make the server hold before it is known who they are. */
const BODY_BYTES_MAX = 64 * 1024;
/** A document and its prose, as long as the language reads them, in JSON's longest spelling. */
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024;

/** Only the operator sends documents; nobody else makes the server hold one. */
function limitBody(): MiddlewareHandler<Edge> {
  const upTo = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: () => {
        throw httpProblem('request-too-large', `At most ${maxSize} bytes are read.`);
      },
    });
  const [small, large] = [upTo(BODY_BYTES_MAX), upTo(DOCUMENT_BYTES_MAX)];
  return (c, next) => {
    const isDocument = c.var.operator && c.req.path.startsWith('/v1/operator/policies/');
    return (isDocument ? large : small)(c, next);
  };
}

/** A page of another site that resolves its own name to this machine must get nothing. */
function knownHost(hosts: readonly string[]): MiddlewareHandler<Edge> {
  return async (c, next) => {
    const host = new URL(c.req.url).hostname;
    if (hosts.length > 0 && !hosts.includes(host))
      throw httpProblem('host-not-known', 'Use one of the names that the server was given.');
    await next();
  };
}

function identify(deps: AppDeps): MiddlewareHandler<Edge> {
  return async (c, next) => {
    try {
      c.set('operator', await deps.operator.knows(getCookie(c, OPERATOR_COOKIE)));
    } catch (thrown) {
      // What anybody may read is read also while the sessions cannot be.
      const away = databaseAway(thrown);
      if (!away) throw thrown;
      c.set('unseen', away);
    }
    await next();
  };
}

/** A proxy that ends TLS asks plainly for the public name: the browser said https. */
const begin =
  ({ publicUrl }: AppDeps): MiddlewareHandler<Edge> =>
  async (c, next) => {
    const asked = new URL(c.req.url);
    const isPublic = publicUrl !== undefined && asked.host === new URL(publicUrl).host;
    const origin = isPublic ? publicUrl : asked.origin;
    c.set('requestId', RequestId(randomUUID()));
    c.set('origin', origin);
    c.set('secure', origin.startsWith('https:'));
    c.set('operator', false);
    await next();
  };

/** The methods of the routes that fit this path; empty when none does. */
function methodsAt(app: Hono<Edge>, path: string): string[] {
  const fitting = app.routes.filter(({ method, path: pattern }) => {
    if (method === 'ALL') return false;
    const shape = pattern.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+');
    return new RegExp(`^${shape}$`).test(path);
  });
  return [...new Set(fitting.map(({ method }) => method))].sort();
}

/**
 * Builds the app. It needs no port: tests call `app.request(path)`.
 *
 * @param deps  Everything that the routes read; nothing is read from the environment or the clock.
 */
export function createApp(deps: AppDeps): Hono<Edge> {
  const app = new Hono<Edge>();
  const nothingHere = (c: Context<Edge>) => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length === 0)
      return answerProblem(c, httpProblem('not-found', 'Nothing is served at this address.'));
    const problem = httpProblem('method-not-allowed', `It takes ${allowed.join(', ')}.`);
    const answer = answerProblem(c, problem);
    answer.headers.set('allow', allowed.join(', '));
    return answer;
  };

  app.onError(answerThrown(deps));
  app.notFound(nothingHere);
  app.use(begin(deps), securityHeaders, compress(), publishedAddress(deps));
  app.use(knownHost(deps.hosts), identify(deps));
  app.use(limitBody());
  app.route('/', siteRoutes(deps));
  app.route('/', tenantRoutes(deps));
  for (const { routes } of deps.domains) if (routes) app.route('/', routes);
  app.route('/', fileRoutes(deps));

  const extra = deps.domains.flatMap(({ operations }) => operations ?? []);
  app.get('/openapi.json', (c) => c.json(openApiOf(app, extra, deps.version)));
  return app;
}
