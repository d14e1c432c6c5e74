import { ingestProblem } from './errors.ts';
import type { Arrived } from './model.ts';
import type { Tools } from './ports.ts';
import type { Sender } from './rates.ts';
import { member } from './wire.ts';

/**
 * Over the limit the request is refused whole, so that a retry is the same request again.
 *
 * @throws Problem ingest-rate-exceeded with `retryAfterSeconds`.
 */
export function checkRate(batch: Arrived, { rates }: Tools): Arrived {
  const { plan, tenant, sent, receivedAt } = batch;
  const { eventsPerSecond, requestsPerMinute } = plan.limits;
  if (requestsPerMinute !== undefined) {
    const wait = rates.takeRequest(tenant, senderOf(batch), requestsPerMinute, receivedAt);
    if (wait > 0) throw tooMany(batch, wait, { requestsPerMinute });
  }
  const wait = rates.take(tenant, sent.length, eventsPerSecond, receivedAt);
  if (wait > 0) throw tooMany(batch, wait, { eventsPerSecond });
  return batch;
}

function tooMany(
  { plan, sent }: Arrived,
  retryAfterSeconds: number,
  limit: { eventsPerSecond: number } | { requestsPerMinute: number },
) {
  plan.unknown.events['over-rate'].count += sent.length;
  const detail =
    'eventsPerSecond' in limit
      ? 'the service takes fewer events a second'
      : 'this key, address or person sends more requests than the service takes';
  return ingestProblem('ingest-rate-exceeded', detail, { retryAfterSeconds, ...limit });
}

/** A request counts for the person whom its first event names: a page speaks for one. */
function senderOf({ permit, address, sent }: Arrived): Sender {
  const person = member(sent[0], 'userId') ?? member(sent[0], 'user_id');
  return {
    key: permit.actor.id,
    address,
    person: typeof person === 'string' ? person : undefined,
  };
}
