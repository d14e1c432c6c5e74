import type { PurposeId, SubjectId } from '#base/ids';
import type { DropReason } from './drops.ts';
import { isPersonalId } from './identify-mode.ts';
import { isTold, keep } from './keep.ts';
import { type Batch, type Handle, type IngestEvent, MODE, type Signals } from './model.ts';
import type { IngestPlan } from './plan.ts';
import type { Tools } from './ports.ts';
import { signalsFor } from './request-signals.ts';
import { isObject } from './wire.ts';

/**
 * Asks, for every purpose that needs it, whether the person agreed: silence means no. A purpose
 * that may be opted out of is closed by the person's no; the client's own "no" is obeyed at once,
 * its "yes" counts only where a receipt stands behind it.
 */
export function checkConsent(batch: Batch, tools: Tools): Batch | Promise<Batch> {
  // A signal goes on record whatever the event is about.
  const heard = speaks(batch);
  const asked = batch.events.filter((event) => heard || needsConsent(batch.plan, event));
  if (asked.length === 0) return batch;
  const handles = distinct(asked);
  const known = new Map<string, SubjectId | undefined>();
  const missing: Handle[] = [];
  for (const [name, handle] of handles) {
    const cached = tools.keys.cached(batch.tenant, handle);
    if (cached) known.set(name, cached.subject);
    else missing.push(handle);
  }
  const loading =
    missing.length === 0 ? load(batch, tools, known) : resolve(batch, tools, missing, known);
  return loading === undefined
    ? decide(batch, tools, known)
    : loading.then(() => decide(batch, tools, known));
}

const speaks = ({ signals, plan, events }: Batch) =>
  plan.signals.length > 0 &&
  (signals.gpc || signals.dnt || signals.doNotSell || events.some(({ told }) => told));

const needsConsent = (plan: IngestPlan, { type, mode, minimal }: IngestEvent) =>
  type.gates !== undefined ||
  type.gated.length > 0 ||
  minimal ||
  (mode === MODE.identified && plan.identifyConsent !== undefined);

const nameOf = ({ kind, value }: Handle) => `${kind}:${value}`;

/** Who is asked: the person, or else the browser under whose name consent was given. */
function askedOf(event: IngestEvent): Handle | undefined {
  if (event.handle) return event.handle;
  const value = event.consentHandle ?? event.visitor;
  return value === undefined ? undefined : { kind: 'anonymous', value };
}

/** Everybody whose decisions count for an event. */
function handlesOf(event: IngestEvent): Handle[] {
  const asked = askedOf(event);
  if (asked === undefined) return [];
  // A person who signed in may have decided before, as a visitor; the link comes with identify.
  const { handle, consentHandle } = event;
  if (!handle || consentHandle === undefined) return [asked];
  return [asked, { kind: 'anonymous', value: consentHandle }];
}

function distinct(events: readonly IngestEvent[]): Map<string, Handle> {
  const handles = new Map<string, Handle>();
  for (const event of events) {
    for (const handle of handlesOf(event)) handles.set(nameOf(handle), handle);
  }
  return handles;
}

async function resolve(
  batch: Batch,
  tools: Tools,
  missing: readonly Handle[],
  known: Map<string, SubjectId | undefined>,
): Promise<void> {
  const found = await tools.keys.subjects(batch.tenant, missing, { create: false });
  missing.forEach((handle, at) => {
    known.set(nameOf(handle), found[at]?.subject);
  });
  await load(batch, tools, known);
}

function load(batch: Batch, tools: Tools, known: ReadonlyMap<string, SubjectId | undefined>) {
  const subjects = [...known.values()].filter((subject) => subject !== undefined);
  return subjects.length === 0 ? undefined : tools.consent.gate.load(batch.tenant, subjects);
}

function decide(
  batch: Batch,
  { consent }: Tools,
  known: ReadonlyMap<string, SubjectId | undefined>,
): Batch | Promise<Batch> {
  if (speaks(batch)) noteOptOuts(batch, consent.gate, known);
  const ask = gateFor(batch, consent.gate, known);
  keep(
    batch,
    (event) => judge(batch, event, ask),
    (event) => isTold(batch, event),
  );
  const { conflicts, tenant } = batch;
  if (conflicts.length === 0) return batch;
  return consent.recordConflicts(tenant, conflicts).then(() => batch);
}

/** A person who is not known yet is obeyed all the same; a record of it would make them known. */
function noteOptOuts(
  batch: Batch,
  gate: Tools['consent']['gate'],
  known: ReadonlyMap<string, SubjectId | undefined>,
): void {
  const { plan, tenant, conflicts } = batch;
  const policy = { tenant, policy: plan.policy };
  for (const [subject, signals] of spokenFor(batch, known)) {
    conflicts.push(...gate.optOuts({ policy, subject, signals }));
  }
}

/** What was said for each known person in the batch, by its request or by one of their events. */
function spokenFor(
  batch: Batch,
  known: ReadonlyMap<string, SubjectId | undefined>,
): Map<SubjectId, Signals> {
  const spoken = new Map<SubjectId, Signals>();
  for (const event of batch.events) {
    for (const handle of handlesOf(event)) {
      const subject = known.get(nameOf(handle));
      if (subject === undefined) continue;
      const signals = spoken.get(subject) ?? batch.signals;
      spoken.set(subject, signalsFor({ signals }, event));
    }
  }
  return spoken;
}

/** Why a purpose is closed for an event, or nothing when it is open. */
type Ask = (event: IngestEvent, purpose: PurposeId) => DropReason | undefined;

function gateFor(
  batch: Batch,
  gate: Tools['consent']['gate'],
  known: ReadonlyMap<string, SubjectId | undefined>,
): Ask {
  const { plan, tenant, conflicts } = batch;
  const subjectOf = (event: IngestEvent) => {
    const own = event.handle && known.get(nameOf(event.handle));
    if (own !== undefined) return own;
    const value = event.consentHandle ?? event.visitor;
    return value === undefined ? undefined : known.get(`anonymous:${value}`);
  };
  return (event, purpose) => {
    if (refuses(event, plan, purpose)) return 'no-consent';
    const { allowed, because, conflict } = gate.decide({
      policy: { tenant, policy: plan.policy },
      purpose,
      subject: subjectOf(event),
      region: event.country,
      signals: signalsFor(batch, event),
    });
    if (conflict) conflicts.push(conflict);
    if (allowed) return undefined;
    return because in BY_SIGNAL ? (because as DropReason) : 'no-consent';
  };
}

const BY_SIGNAL = { 'signal-gpc': true, 'signal-dnt': true, 'signal-do-not-sell': true };

function judge(batch: Batch, event: IngestEvent, ask: Ask): DropReason | undefined {
  const { plan } = batch;
  const { gates, gated, fields } = event.type;
  if (gates !== undefined) {
    if (event.minimal) return 'scope-limited';
    const closed = openAny(gates, event, ask);
    if (closed !== undefined) return closed;
  }
  if (event.mode === MODE.identified && plan.identifyConsent !== undefined) {
    if (ask(event, plan.identifyConsent) !== undefined && !stepBack(batch, event)) {
      return 'identify-no-consent';
    }
  }
  for (const index of gated) {
    if (event.values[index] === undefined) continue;
    if (openAny(fields[index]?.gates ?? [], event, ask) === undefined) continue;
    event.values[index] = undefined;
    event.type.counts.fields['no-consent-field'].count++;
  }
  return undefined;
}

/** Nothing when one of the purposes is open; else why the last of them is not. */
function openAny(purposes: readonly PurposeId[], event: IngestEvent, ask: Ask) {
  let closed: DropReason | undefined = 'no-consent';
  for (const purpose of purposes) {
    closed = ask(event, purpose);
    if (closed === undefined) break;
  }
  return closed;
}

/**
 * Without consent to be identified an event stays, and the identity goes. `identify` itself has
 * nothing left then, and is refused.
 */
function stepBack(batch: Batch, event: IngestEvent): boolean {
  if (event.kind === 'identify' || event.kind === 'alias' || event.kind === 'group') {
    const detail = 'no consent to be identified is on record for this person';
    const refusal = { index: event.index, code: 'identify-no-consent', detail } as const;
    if (isTold(batch, event)) batch.refused.push(refusal);
    return false;
  }
  const pseudonym = event.handle && !isPersonalId(event.handle.value);
  if (pseudonym && batch.plan.modes.has('pseudonymous')) {
    event.mode = MODE.pseudonymous;
  } else {
    event.mode = MODE.anonymous;
    event.handle = undefined;
  }
  return true;
}

/** The client's own switch, as Segment's consent categories or our preferences name it. */
function refuses(event: IngestEvent, plan: IngestPlan, purpose: PurposeId): boolean {
  const consent = event.context['consent'];
  const told = isObject(consent) ? consent['categoryPreferences'] : undefined;
  if (!isObject(told)) return false;
  for (const [name, value] of Object.entries(told)) {
    if (value === false && plan.purposeNames.get(name) === purpose) return true;
  }
  return false;
}
