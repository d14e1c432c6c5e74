import { isTold, keep } from './keep.ts';
import { type Batch, type Handle, type IngestEvent, MODE, type SubjectKey } from './model.ts';
import type { Tools } from './ports.ts';

/**
 * Exchanges the person's handle for an opaque id and the key that goes with it. The map between
 * them lives in the keeper only. Types that the policy keeps without a person get no id at all, and
 * an anonymous event has nobody to look up. What still comes about an erased person is dropped.
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
  const { tenant } = batch;
  const erased = new Set(await ofErasedNames(batch, tools));
  // By kind as well: a device may be called what an account is called.
  const nameOf = ({ kind, value }: Handle) => `${kind}|${value}`;
  const handles = new Map<string, Handle>();
  for (const event of waiting) {
    // Nobody is made known by what is dropped.
    if (event.handle && !erased.has(event)) handles.set(nameOf(event.handle), event.handle);
  }
  const found = await tools.keys.find(tenant, [...handles.values()], { create: true });
  const keys = new Map([...handles.keys()].map((name, at) => [name, found[at]]));
  for (const event of waiting) {
    const key = event.handle && keys.get(nameOf(event.handle));
    if (typeof key === 'string') erased.add(event);
    else event.subject = key as SubjectKey | undefined;
  }
  if (erased.size > 0) {
    const reason = (event: IngestEvent) => (erased.has(event) ? 'person-erased' : undefined);
    keep(batch, reason, (event) => isTold(batch, event));
  }
  const refused = new Set<IngestEvent>();
  for (const event of batch.events) if (!(await link(event, batch, tools))) refused.add(event);
  if (refused.size > 0) keep(batch, (event) => (refused.has(event) ? 'link-refused' : undefined));
}

/**
 * Other names for somebody who was erased: nobody gets back in under a new one. A browser's key
 * ties no name to a person's, and is not told whose was erased either.
 */
async function ofErasedNames(batch: Batch, { keys }: Tools): Promise<IngestEvent[]> {
  const { tenant, events, keyKind } = batch;
  if (keyKind === 'browser') return [];
  const named = events.flatMap((event) => {
    const { kind, mode, previous } = event;
    return kind === 'alias' && mode !== MODE.anonymous && previous ? [{ event, previous }] : [];
  });
  if (named.length === 0) return [];
  const handles = named.map(({ previous }) => previous);
  const found = await keys.find(tenant, handles, { create: false });
  return named
    .filter((_, at) => found[at] === 'erased' || found[at] === 'hidden')
    .map(({ event }) => event);
}

/**
 * `identify` ties the visitor's consents to the person, `alias` two ids of one person.
 *
 * Erasure follows these links, so whoever makes them answers for them. Everybody has a browser's
 * key: with it a visitor whom nobody else claimed becomes a person, and nothing else becomes
 * anything. The visitor's id is random and known to its own browser alone.
 *
 * @returns false when the sender's key may not tie the two.
 */
async function link(event: IngestEvent, batch: Batch, { keys }: Tools): Promise<boolean> {
  const { kind, handle, mode, previous } = event;
  if (mode === MODE.anonymous || handle === undefined) return true;
  const { tenant, keyKind } = batch;
  const claimed = keyKind === 'browser' ? 'claimed' : undefined;
  const linkVisitor = (value: string) =>
    keys.link(tenant, { kind: 'anonymous', value }, handle, claimed);
  if (kind === 'identify') {
    const visitor = event.consentHandle ?? event.visitor;
    return visitor === undefined || linkVisitor(visitor);
  }
  if (kind !== 'alias' || !previous || previous.value === handle.value) return true;
  if (claimed && previous.value !== event.visitor) return false;
  // What comes before may be a person or a visitor: the call does not say.
  if (!claimed) await keys.link(tenant, previous, handle, 'same');
  return linkVisitor(previous.value);
}

function forget(batch: Batch): Batch {
  for (const event of batch.events) event.handle = undefined;
  return batch;
}
