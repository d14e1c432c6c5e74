import type { DropReason } from './drops.ts';
import type { Batch, IngestEvent } from './model.ts';

type Keeping<Event extends IngestEvent> = {
  events: Event[];
  readonly dropped: Map<DropReason, number>;
  untold: number;
};

/**
 * Keeps the events for which `reason` gives none; counts the others. Works in place.
 *
 * @param isTold  whether the sender may learn of the drop; the counters always do.
 */
export function keep<Event extends IngestEvent>(
  batch: Keeping<Event>,
  reason: (event: Event) => DropReason | undefined,
  isTold: (event: Event) => boolean = () => true,
): void {
  const { events } = batch;
  let kept = 0;
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as Event;
    const why = reason(event);
    if (why === undefined) events[kept++] = event;
    else if (isTold(event)) countDrop(batch, event, why);
    else {
      event.type.counts.events[why].count++;
      batch.untold++;
    }
  }
  events.length = kept;
}

export function countDrop(
  batch: Pick<Keeping<IngestEvent>, 'dropped'>,
  event: Pick<IngestEvent, 'type'>,
  why: DropReason,
): void {
  event.type.counts.events[why].count++;
  batch.dropped.set(why, (batch.dropped.get(why) ?? 0) + 1);
}

/**
 * Everybody has a browser's key: what became of an event that names a person would tell anybody
 * who guesses the name what that person decided.
 */
export const isTold = ({ keyKind }: Batch, { handle }: IngestEvent) =>
  keyKind === 'server' || handle === undefined;
