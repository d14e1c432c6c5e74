import { countDrop } from './keep.ts';
import type { Batch, IngestEvent } from './model.ts';
import type { Tools } from './ports.ts';
import { ruleIn } from './regions.ts';
import type { RowBytes } from './row-bytes.ts';

const DAY = 86_400_000;
/** The last second that the engine's DateTime can name: "until it is deleted". */
const NEVER = 4_294_967_295;

/**
 * Writes each event as the bytes of its row into the open group of the inbox. The answer is given
 * when that group, and every group that holds an earlier sending of the same message, is durable.
 */
export function store(batch: Batch, { inbox, window }: Tools): Batch {
  const day = Math.floor(batch.receivedAt / DAY);
  const { group } = inbox;
  for (const event of batch.events) {
    const { messageLow, messageHigh, type } = event;
    // While this request waited for keys, another may have brought the same message.
    const before = window.find(messageLow, messageHigh);
    if (before !== 0 && !inbox.hasFailed(before)) {
      batch.group = Math.max(batch.group, before);
      batch.duplicates++;
      countDrop(batch, event, 'duplicate');
      continue;
    }
    // A customer chose to keep none of it.
    if (lifeOf(event) <= 0) {
      countDrop(batch, event, 'not-retained');
      continue;
    }
    window.put(messageLow, messageHigh, group);
    const section = inbox.section(batch.permit, type, day);
    writeRow(section.beginRow(), event, batch);
    section.endRow();
    inbox.count();
    type.counts.kept.count++;
    batch.group = group;
    batch.kept++;
  }
  return batch;
}

/** In the order of `FIXED_COLUMNS`, then the declared fields, then what is sealed and the expiry. */
function writeRow(row: RowBytes, event: IngestEvent, { plan, receivedAt }: Batch): void {
  const { type, device, subject, values } = event;
  row.zeros(8);
  row.u32(event.messageLow);
  row.u32(event.messageHigh);
  row.i64(receivedAt);
  row.i64(event.eventAt);
  row.string(event.name);
  if (subject === undefined) row.zeros(16);
  else row.hex(subject.subject);
  row.u32(event.sessionLow);
  row.u32(event.sessionHigh);
  row.string(plan.enrich.geolocation && !event.minimal ? event.country : '');
  row.string(device.type);
  row.string(device.os);
  row.string(device.browser);
  row.u8(event.mode);
  for (const { index, write } of type.clear) write(row, values[index]);
  if (event.sealed === undefined) row.u8(0);
  else row.bytes(event.sealed);
  row.u32(Math.min(NEVER, Math.floor((receivedAt + lifeOf(event)) / 1_000)));
}

/** The region's, where it has one, else what holds for everybody. */
function lifeOf({ type, country }: IngestEvent): number {
  if (country === '') return type.retainNowhere;
  return ruleIn(type.retainIn, country) ?? type.retainMilliseconds;
}
