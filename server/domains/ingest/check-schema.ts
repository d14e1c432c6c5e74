import { randomBytes } from 'node:crypto';
import { isWellFormed, meantId } from '#base/ids';
import { NOWHERE } from '#platform/location';
import { cleanText } from './classifiers.ts';
import type { DropReason } from './drops.ts';
import { readTimestamp, TOO_LONG, WRONG } from './fields.ts';
import { fillFields } from './fillers.ts';
import { modeOf } from './identify-mode.ts';
import { type Addressed, type AddressedEvent, type Arrived, MODE, NO_DEVICE } from './model.ts';
import type { IngestPlan, TypePlan } from './plan.ts';
import { signalsTold } from './request-signals.ts';
import { placeIn, saidOfAge } from './said-of-age.ts';
import { isObject, type JsonObject, type Kind, member, readEvent, type WireEvent } from './wire.ts';

const ID_CHARACTERS_MAX = 256;
/** With the white space around it: more is no slip, and not read. */
const SENT_CHARACTERS_MAX = 1_024;
const NAMES_MAX = 5_000;
const NAME = /^[\p{L}\p{N}$][\p{L}\p{N}_ .:/()&+'$-]{0,127}$/u;
const NONE: JsonObject = Object.freeze({});

/** What became of one event: itself, a drop without blame, or a refusal with its reason. */
type Dropped = { readonly drop: DropReason; readonly detail?: string };
type Verdict = AddressedEvent | Dropped;

const wrong = (detail: string): Dropped => ({ drop: 'wrong-schema', detail });

/**
 * Holds every event to the schema that the policy declares: a known type, declared fields only,
 * each of its declared kind. What is not declared is left behind here and counted; an event that
 * does not fit is refused by itself and the others go on.
 */
export function checkSchema(arrived: Arrived): Addressed {
  const { plan, sent, refused, dropped } = arrived;
  sent.forEach((one, index) => {
    const verdict = isObject(one)
      ? checkEvent(arrived, one, index)
      : wrong('an event must be an object');
    if (!('drop' in verdict)) {
      arrived.events.push(verdict);
      return;
    }
    const { drop, detail } = verdict;
    plan.unknown.events[drop].count++;
    if (detail === undefined) dropped.set(drop, (dropped.get(drop) ?? 0) + 1);
    else refused.push({ index, code: drop, detail });
  });
  return arrived;
}

function checkEvent(arrived: Arrived, sent: JsonObject, index: number): Verdict {
  const { plan } = arrived;
  const wire = readEvent(sent, arrived.kind);
  if (wire.kind === undefined) return wrong('the type is none of track, page, screen, identify …');
  const kind = wire.kind as Kind;
  const named = typeOf(plan, kind, wire.name);
  if ('drop' in named) return named;
  const { name, type } = named;
  const ids = readIds(wire);
  if (ids === undefined) return wrong('an id must be a text of at most 256 characters');
  const eventAt = timeOf(wire, arrived);
  if (eventAt === undefined) return wrong('the timestamp cannot be read');
  const properties = wire.properties ?? NONE;
  if (!isObject(properties)) return wrong('properties and traits are objects');
  const context = contextOf(wire.context, arrived.shared);
  const mode = modeOf(plan, {
    kind,
    userId: ids.userId,
    asked: context['mode'],
    traits: properties,
  });
  if (typeof mode !== 'number') return mode;
  const values = readFields(plan, type, kind, mode, properties);
  if (typeof values === 'string') return wrong(values);
  const event = makeEvent({
    index,
    kind,
    name,
    type,
    values,
    context,
    eventAt,
    mode,
    ids,
    properties,
    sent,
  });
  if (!event.minimal && type.fillers.context.length > 0) {
    fillFields(event, 'context', { context, device: NO_DEVICE, place: NOWHERE, time: eventAt });
  }
  return event;
}

type Named = { readonly name: string; readonly type: TypePlan };

/** Stands for the name of an event that said who somebody is; no client's event is called that. */
export const WITHHELD = '(withheld)';

/**
 * The data type of an event, and what is written of its name. Names repeat, so what was found out
 * about one is kept with the plan.
 *
 * A name that the policy declares is its own. Where the policy takes any name, the client makes it,
 * often out of what stands on the page: it is kept in clear only while nothing personal is seen in
 * it, and withheld otherwise. Such a name is not remembered either.
 */
function typeOf(plan: IngestPlan, kind: Kind, sent: unknown): Named | Dropped {
  const name = kind === 'track' ? sent : kind;
  const known = kind === 'track' && typeof name === 'string' ? plan.names.get(name) : undefined;
  if (known) return { name: name as string, type: known };
  if (typeof name !== 'string' || !NAME.test(name)) {
    return wrong('the event needs a plain name of at most 128 characters');
  }
  const route = plan.route(kind, name);
  if (route === undefined) return { drop: 'undeclared-event' };
  const { type, isDeclared } = route;
  if (!isDeclared && cleanText(name, plan.nameStrip).found.length > 0) {
    type.counts.fields['name-withheld'].count++;
    return { name: WITHHELD, type };
  }
  if (kind === 'track' && plan.names.size < NAMES_MAX) plan.names.set(name, type);
  return { name, type };
}

/** An event's own context wins over the batch's; a copy is made only where both exist. */
function contextOf(own: unknown, shared: JsonObject): JsonObject {
  if (!isObject(own)) return shared === NONE ? NONE : { ...shared };
  for (const name in shared) if (name !== '__proto__') return { ...shared, ...own };
  return own;
}

type Ids = Record<
  'userId' | 'anonymousId' | 'previousId' | 'sessionId' | 'messageId',
  string | undefined
>;

/** An id as text; `null` stands for none, as Segment's clients send it; false where it is no id. */
function idOf(value: unknown): string | undefined | false {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value.length > SENT_CHARACTERS_MAX) return false;
  const text = meantId(value);
  if (text === '') return undefined;
  return text.length <= ID_CHARACTERS_MAX && isWellFormed(text) ? text : false;
}

function readIds(wire: WireEvent): Ids | undefined {
  const userId = idOf(wire.userId);
  const anonymousId = idOf(wire.anonymousId);
  const previousId = idOf(wire.previousId);
  const sessionId = idOf(wire.sessionId);
  const messageId = idOf(wire.messageId);
  if (userId === false || anonymousId === false || previousId === false) return undefined;
  if (sessionId === false || messageId === false) return undefined;
  return { userId, anonymousId, previousId, sessionId, messageId };
}

/** The future is cut to now; a clock that `sentAt` shows to be wrong is corrected, as Segment does. */
function timeOf(wire: WireEvent, { receivedAt, sentAt, plan }: Arrived): number | undefined {
  if (wire.timestamp === undefined || wire.timestamp === null) return receivedAt;
  const told = readTimestamp(wire.timestamp);
  if (typeof told !== 'number') return undefined;
  const sent = sentAt === undefined || sentAt === null ? undefined : readTimestamp(sentAt);
  const skew = typeof sent === 'number' ? receivedAt - sent : 0;
  const corrected = Math.abs(skew) > plan.skewMilliseconds ? told + skew : told;
  return Math.max(0, Math.min(corrected, receivedAt));
}

/** The declared fields among those sent, or a sentence that says which one does not fit. */
function readFields(
  plan: IngestPlan,
  type: TypePlan,
  kind: string,
  mode: number,
  sent: JsonObject,
): unknown[] | string {
  const { fields, counts } = type;
  const traits =
    kind === 'identify'
      ? plan.traits[mode === MODE.identified ? 'identified' : 'pseudonymous']
      : undefined;
  const values: unknown[] = new Array(fields.length).fill(undefined);
  let declared = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as (typeof fields)[number];
    const value = Object.hasOwn(sent, field.name) ? sent[field.name] : undefined;
    if (value === undefined) continue;
    declared++;
    if (value === null) continue;
    if (traits !== undefined && !traits.has(field.name)) {
      counts.fields['trait-not-allowed'].count++;
      continue;
    }
    const read = field.read(value);
    if (read === WRONG) return `the field ${field.name} is no ${field.kind}`;
    if (read === TOO_LONG) counts.fields['over-limit'].count++;
    else values[i] = read;
  }
  let present = 0;
  for (const _ in sent) present++;
  if (present > declared) counts.fields['undeclared-field'].count += present - declared;
  return values;
}

type Read = Pick<
  AddressedEvent,
  'index' | 'kind' | 'name' | 'type' | 'values' | 'context' | 'eventAt' | 'mode'
> & { readonly ids: Ids; readonly properties: JsonObject; readonly sent: JsonObject };

function makeEvent({ ids, properties, sent, ...read }: Read): AddressedEvent {
  const { context, mode } = read;
  const { userId, anonymousId, previousId, sessionId, messageId } = ids;
  const spoken = [sent, properties, context, placeIn(context, 'traits'), placeIn(sent, 'traits')];
  const consentId = member(context['consent'], 'id');
  const ip = context['ip'];
  return {
    ...read,
    messageId: messageId ?? randomBytes(12).toString('base64url'),
    messageLow: 0,
    messageHigh: 0,
    handle: mode > 0 && userId !== undefined ? { kind: 'user', value: userId } : undefined,
    previous: previousId === undefined ? undefined : { kind: 'user', value: previousId },
    visitor: anonymousId,
    consentHandle: idOf(consentId) || undefined,
    sessionText: sessionId,
    subject: undefined,
    sessionLow: 0,
    sessionHigh: 0,
    ...saidOfAge(spoken),
    told: signalsTold(context['signals']),
    minimal: context['scope'] === 'minimal',
    country: '',
    device: NO_DEVICE,
    sealed: undefined,
    address: typeof ip === 'string' ? ip : undefined,
  };
}
