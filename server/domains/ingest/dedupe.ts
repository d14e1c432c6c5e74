import { countDrop } from './keep.ts';
import type { Addressed } from './model.ts';
import type { Tools } from './ports.ts';

/**
 * Leaves out what is stored or being stored already, so that a retry is harmless. The answer to a
 * retry waits for the commit that holds the first sending.
 *
 * This looks in the memory of one process; what came in through another, or before a restart, the
 * mover finds before the engine sees it.
 */
export function dedupe(batch: Addressed, { hashes, window, inbox }: Tools): Addressed {
  const { events, tenant } = batch;
  let kept = 0;
  for (const event of events) {
    const { low, high } = hashes.message(tenant, event.messageId);
    event.messageLow = low;
    event.messageHigh = high;
    const group = window.find(low, high);
    if (group === 0 || inbox.hasFailed(group)) {
      events[kept++] = event;
    } else {
      batch.group = Math.max(batch.group, group);
      batch.duplicates++;
      countDrop(batch, event, 'duplicate');
    }
  }
  events.length = kept;
  return batch;
}
