/**
 * The audit logs: checkpoints and hashes for everyone, since they say nothing and let anyone watch;
 * entries for the operator, each with what a browser needs to check it.
 */
import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { Clock } from '#base/clock';
import type { Signer } from '#base/ed25519';
import type { TenantId } from '#base/ids';
import {
  type AuditHealth,
  exportLog,
  INSTALLATION,
  logsIn,
  openTenantLog,
  type TenantLog,
} from '#core/audit';
import type { ServicesInForce } from '#oversight/evidence';
import { parseTilePath } from '#platform/tiles';
import type { DomainRoutes, Edge } from './edge.ts';
import { httpProblem } from './errors.ts';
import { operatorOnly } from './tenant-routes.ts';

export type AuditDeps = {
  readonly auditDir: string;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly services: Pick<ServicesInForce, 'get'>;
  readonly health: () => Promise<AuditHealth>;
};

const ENTRIES_MAX = 200;
const TEXT = 'text/plain; charset=utf-8';

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || number < -1)
    throw httpProblem('query-not-understood', '"after" and "limit" are whole numbers.');
  return number;
}

/** The routes of the audit logs, for the app to mount. */
export function auditRoutes(deps: AuditDeps): DomainRoutes {
  const { auditDir, signer, clock, services, health } = deps;
  const routes = new Hono<Edge>();
  const tenantOf = (c: Context<Edge>): TenantId => {
    const name = c.req.param('tenant') ?? '';
    // What concerns no service has a log of its own.
    if (name === INSTALLATION) return INSTALLATION;
    const service = services.get(name);
    // The log of a service that was taken out stays, and may be checked as ever.
    const tenant = service?.tenant ?? logsIn(auditDir).find((one) => one === name);
    if (!tenant) throw httpProblem('no-such-tenant', 'No policy of this name is in force here.');
    return tenant;
  };
  const logOf = (c: Context<Edge>): TenantLog => {
    const log = openTenantLog(auditDir, tenantOf(c));
    if (!log) throw httpProblem('not-found', 'This log has no entry yet.');
    return log;
  };

  routes.get('/v1/t/:tenant/audit/checkpoint', (c) => {
    const { note } = logOf(c);
    c.header('content-type', TEXT);
    c.header('cache-control', 'no-cache');
    return c.body(note);
  });

  routes.get('/v1/t/:tenant/audit/tile/*', (c) => {
    const tile = parseTilePath(c.req.path.slice(c.req.path.indexOf('/tile/') + 1));
    if (!tile) throw httpProblem('not-found', 'This is not the address of a tile.');
    // Bodies are cut off when their time is over, so only hashes may be kept for ever.
    const isHashes = tile.level !== 'entries';
    if (!isHashes) operatorOnly(c);
    const bytes = logOf(c).tile(tile);
    if (!bytes) throw httpProblem('not-found', 'The log has no such tile.');
    c.header('content-type', 'application/octet-stream');
    c.header('cache-control', isHashes ? 'public, max-age=31536000, immutable' : 'no-store');
    return c.body(new Uint8Array(bytes));
  });

  routes.get('/v1/t/:tenant/audit/entries', (c) => {
    operatorOnly(c);
    const after = wholeNumber(c.req.query('after'), -1);
    const limit = Math.min(ENTRIES_MAX, Math.max(0, wholeNumber(c.req.query('limit'), 50)));
    const log = openTenantLog(auditDir, tenantOf(c));
    c.header('cache-control', 'no-store');
    if (!log) return c.json({ checkpoint: null, size: 0, entries: [] });
    const { note, size } = log;
    return c.json({ checkpoint: note, size, entries: log.entries(after, limit) });
  });

  routes.get('/v1/t/:tenant/audit/export', (c) => {
    operatorOnly(c);
    const tenant = tenantOf(c);
    logOf(c);
    c.header('content-type', 'application/x-ndjson');
    c.header('cache-control', 'no-store');
    return stream(c, async (out) => {
      for await (const lines of exportLog({ auditDir, tenant, signer, clock })) {
        if (out.aborted) return;
        await out.write(new Uint8Array(lines));
      }
    });
  });

  routes.get('/v1/operator/audit/health', async (c) => {
    operatorOnly(c);
    return c.json(await health());
  });
  return { name: 'audit', routes };
}
