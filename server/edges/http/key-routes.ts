import { Hono } from 'hono';
import { jwkOf, type Signer } from '#base/ed25519';
import type { DomainRoutes, Edge } from './edge.ts';

/** The public key that certificates, reports and checkpoints are checked with, as a JWK set. */
export function publicKeyRoutes({ publicKey, keyId }: Signer): DomainRoutes {
  const routes = new Hono<Edge>();
  const key = { ...jwkOf(publicKey), kid: keyId, use: 'sig', alg: 'EdDSA' };
  routes.get('/.well-known/troth-keys.json', (c) => {
    c.header('cache-control', 'public, max-age=3600');
    c.header('content-type', 'application/jwk-set+json');
    return c.body(JSON.stringify({ keys: [key] }));
  });
  return { name: 'public-keys', routes };
}
