import { type Batch, type Handle, type IngestEvent, MODE } from './model.ts';
import type { Tools } from './ports.ts';

/**
 * Exchanges the person's handle for an opaque id and the key that goes with it. The map between them
 * lives in the keeper only. Types that the policy keeps without a person get no id at all, and an
 * anonymous event has nobody to look up.
 */
export function pseudonymise(batch: Batch, tools: Tools): Batch | Promise<Batch> {
  const waiting: IngestEvent[] = [];
  let links = false;
  for (const event of batch.events) {
    if (event.kind === 'identify' || event.kind === 'alias') links = true;
    if (event.mode === MODE.anonymous || event.type.key !== 'subject' || !event.handle) continue;
    event.subject = tools.keys.cached(batch.tenant, event.handle);
    if (event.subject === undefined) waiting.push(event);
  }
  if (waiting.length === 0 && !links) return forget(batch);
  return lookUp(batch, tools, waiting).then(() => forget(batch));
}

async function lookUp(batch: Batch, tools: Tools, waiting: readonly IngestEvent[]): Promise<void> {
  const { tenant, events } = batch;
  const handles = new Map<string, Handle>();
  for (const { handle } of waiting) if (handle) handles.set(handle.value, handle);
  const found = await tools.keys.subjects(tenant, [...handles.values()], { create: true });
  const keys = new Map([...handles.keys()].map((name, at) => [name, found[at]]));
  for (const event of waiting) event.subject = keys.get(event.handle?.value ?? '');
  for (const event of events) await link(event, batch, tools);
}

/** `identify` ties the visitor's consents to the person, `alias` two ids of one person. */
async function link(event: IngestEvent, { tenant }: Batch, { keys }: Tools): Promise<void> {
  const { kind, handle, mode, previous } = event;
  if (mode === MODE.anonymous || handle === undefined) return;
  if (kind === 'alias' && previous && previous.value !== handle.value) {
    await keys.link(tenant, previous, handle);
  }
  const visitor = event.consentHandle ?? event.visitor;
  if (kind === 'identify' && visitor !== undefined) {
    await keys.link(tenant, { kind: 'anonymous', value: visitor }, handle);
  }
}

function forget(batch: Batch): Batch {
  for (const event of batch.events) event.handle = undefined;
  return batch;
}
