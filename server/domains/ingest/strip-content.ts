import { type Classifier, cleanJson, cleanText } from './classifiers.ts';
import type { Batch, IngestEvent } from './model.ts';

/**
 * Cuts personal content out of every field that can hold free text, of the names of events too. A
 * field that is declared to hold such content (an e-mail field) keeps that kind and loses the
 * others.
 */
export function stripContent(batch: Batch): Batch {
  for (const event of batch.events) {
    for (const index of event.type.stripped) stripField(event, index);
  }
  return batch;
}

function stripField(event: IngestEvent, index: number): void {
  const value = event.values[index];
  const strip = event.type.fields[index]?.strip;
  if (value === undefined || strip === undefined) return;
  if (typeof value === 'string') {
    const { text, found } = cleanText(value, strip);
    if (found.length === 0) return;
    event.values[index] = text;
    event.type.counts.fields['personal-content'].count++;
  } else if (typeof value === 'object') {
    const found = new Set<Classifier>();
    event.values[index] = cleanJson(value, strip, found);
    if (found.size > 0) event.type.counts.fields['personal-content'].count++;
  }
}
