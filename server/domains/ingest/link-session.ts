import type { Batch } from './model.ts';
import type { Tools } from './ports.ts';

const DAY = 86_400_000;

/**
 * Gives events of one session one number, under a key of the day: the same browser has another
 * number tomorrow, and once the day's key is destroyed nobody can compute either of them again.
 */
export function linkSession(batch: Batch, { hashes }: Tools): Batch {
  if (!batch.plan.enrich.session) return batch;
  const day = Math.floor(batch.receivedAt / DAY);
  let last: string | undefined;
  let low = 0;
  let high = 0;
  for (const event of batch.events) {
    if (event.minimal || event.type.key === 'none') continue;
    const text = event.sessionText ?? event.visitor;
    if (text === undefined) continue;
    if (text !== last) {
      ({ low, high } = hashes.session(batch.tenant, text, day));
      last = text;
    }
    event.sessionLow = low;
    event.sessionHigh = high;
  }
  return batch;
}
