import { ingestProblem } from './errors.ts';
import type { Arrived } from './model.ts';
import type { Tools } from './ports.ts';

/**
 * Over the limit the request is refused whole, so that a retry is the same request again.
 *
 * @throws Problem ingest-rate-exceeded with `retryAfterSeconds`.
 */
export function checkRate(batch: Arrived, { rates }: Tools): Arrived {
  const { plan, tenant, sent, receivedAt } = batch;
  const { eventsPerSecond } = plan.limits;
  const retryAfterSeconds = rates.take(tenant, sent.length, eventsPerSecond, receivedAt);
  if (retryAfterSeconds > 0) {
    plan.unknown.events['over-rate'].count += sent.length;
    throw ingestProblem('ingest-rate-exceeded', 'the service takes fewer events a second', {
      retryAfterSeconds,
      eventsPerSecond,
    });
  }
  return batch;
}
