/** The headers that every answer carries, and why each is there. */
import type { MiddlewareHandler } from 'hono';
import type { Edge } from './edge.ts';

/**
 * Scripts, styles, fonts and connections from this origin and nowhere else, nothing inline, no
 * frame, no base, and no string may become markup except in the console's one inert parser.
 */
export function contentSecurityPolicy(styleHash?: string): string {
  const style = styleHash ? `style-src 'self' '${styleHash}'` : "style-src 'self'";
  return [
    "default-src 'none'",
    "script-src 'self'",
    style,
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types troth-inert-page',
  ].join('; ');
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy': contentSecurityPolicy(),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy':
    'accelerometer=(), browsing-topics=(), camera=(), geolocation=(), gyroscope=(), ' +
    'microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-dns-prefetch-control': 'off',
});

/** Two years: browsers that have seen the TLS port once never speak plain HTTP to it again. */
const STRICT_TRANSPORT = 'max-age=63072000; includeSubDomains';
/** The header binds a host with all its ports: on `localhost` those of every other program too. */
const STRICT_TRANSPORT_HERE = 'max-age=60';
const LOOPBACK = /^https:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/)/;

/** Adds what an answer does not already say for itself; a page may bring a policy of its own. */
export const securityHeaders: MiddlewareHandler<Edge> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(SECURITY_HEADERS))
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  if (c.var.secure) {
    const strict = LOOPBACK.test(c.req.url) ? STRICT_TRANSPORT_HERE : STRICT_TRANSPORT;
    c.res.headers.set('strict-transport-security', strict);
  }
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  c.res.headers.append('vary', 'Sec-GPC');
  c.res.headers.set('x-request-id', c.var.requestId);
};
