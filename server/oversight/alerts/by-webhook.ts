import { createHmac } from 'node:crypto';
import type { Channel } from './alert.ts';
import { alertProblem } from './errors.ts';

const TIMEOUT_MS = 15_000;
const PREFIX = 'whsec_';

/**
 * The headers of one attempt.
 *
 * @param secret  `whsec_` and base64 of 24 to 64 bytes; without one the message is not signed.
 * @see Standard Webhooks 1.0.0: the signed content is `id.timestamp.body`.
 */
export function signedHeaders(
  { id, body, at }: { id: string; body: string; at: Date },
  secret: string | undefined,
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const key = Buffer.from(secret.replace(PREFIX, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${mac}` };
}

/** Posts alerts to one address, signed when a secret is given. It follows no redirect. */
export const webhookChannel = (given: {
  readonly url: string;
  readonly secret: string | undefined;
  /** Where the operator finds the console, from wherever the message is read. */
  readonly console?: string | undefined;
  readonly now: () => Date;
}): Channel => ({
  name: 'webhook',
  async send({ kind, at, ...data }, id) {
    const link = given.console && `${given.console}/services/${data.tenant}`;
    const body = JSON.stringify({
      type: kind,
      timestamp: at,
      data: { ...data, ...(link && { link }) },
    });
    const answer = await fetch(given.url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        ...signedHeaders({ id, body, at: given.now() }, given.secret),
      },
      body,
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (!answer?.ok) throw alertProblem('alert-not-taken', 'the receiver did not answer with 2xx');
  },
});
