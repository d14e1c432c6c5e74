import type { Batch, IngestEvent, SubjectKey } from './model.ts';
import type { Tools } from './ports.ts';

const DAY = 86_400_000;

/**
 * Seals the fields that the policy marks personal: one ciphertext an event at most, under the key
 * of the person, so that destroying the key destroys them all. Where the policy keys a type by day
 * or by type, that key is used; where an event has no key, the personal fields are left out and
 * counted.
 */
export function seal(batch: Batch, tools: Tools): Batch | Promise<Batch> {
  const waiting: Promise<void>[] = [];
  for (const event of batch.events) {
    const plaintext = personalFields(event);
    if (plaintext === undefined) continue;
    const { type, subject } = event;
    if (subject) sealWith(subject, plaintext, event, batch, tools);
    else if (type.key === 'period' || type.key === 'type') {
      const day = type.key === 'period' ? Math.floor(batch.receivedAt / DAY) : undefined;
      const shared = tools.keys.shared(batch.tenant, type.id, day);
      waiting.push(shared.then((key) => sealWith(key, plaintext, event, batch, tools)));
    } else {
      type.counts.fields['no-key-to-seal'].count++;
    }
  }
  return waiting.length === 0 ? batch : Promise.all(waiting).then(() => batch);
}

function personalFields({ type, values }: IngestEvent): Buffer | undefined {
  let found: Record<string, unknown> | undefined;
  for (const index of type.sealed) {
    const value = values[index];
    if (value === undefined) continue;
    found ??= {};
    found[type.fields[index]?.name ?? ''] = value;
  }
  return found && Buffer.from(JSON.stringify(found));
}

function sealWith(
  key: SubjectKey,
  plaintext: Buffer,
  event: IngestEvent,
  { tenant, plan }: Batch,
  { keys }: Tools,
): void {
  const row = rowOf(event);
  const subject = event.subject?.subject;
  event.sealed = keys.seal(key, plaintext, {
    tenant,
    table: event.type.table,
    row,
    subject,
    revision: plan.revision,
  });
}

const message = Buffer.alloc(8);

/** What a row is called in the data that a ciphertext is bound to: its message, in hexadecimal. */
function rowOf({ messageHigh, messageLow }: IngestEvent): string {
  message.writeUInt32BE(messageHigh, 0);
  message.writeUInt32BE(messageLow, 4);
  return message.toString('hex');
}
