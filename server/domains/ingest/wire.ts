/**
 * What clients send, in every dialect that is accepted, made into one shape.
 *
 * Segment's single calls and batches, LoopKit's `/v1/tracks` (an event or a list of them) and our
 * own SDK differ in names only. Nothing is copied but the few members that the pipeline reads.
 */
import { ingestProblem } from './errors.ts';

export const KINDS = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;
export type Kind = (typeof KINDS)[number];
const KIND_SET: ReadonlySet<string> = new Set(KINDS);

export type JsonObject = { readonly [name: string]: unknown };

/** One event as sent; everything in it is still unchecked. */
export type WireEvent = {
  readonly kind: unknown;
  readonly name: unknown;
  readonly properties: unknown;
  readonly context: unknown;
  readonly userId: unknown;
  readonly anonymousId: unknown;
  readonly previousId: unknown;
  readonly groupId: unknown;
  readonly messageId: unknown;
  readonly timestamp: unknown;
  readonly sessionId: unknown;
};

export type WireRequest = {
  readonly events: readonly unknown[];
  /** When the client says that it sent the request: shows how wrong its clock is. */
  readonly sentAt: unknown;
  readonly writeKey: unknown;
  /** Context of the whole batch; an event's own members win. */
  readonly context: JsonObject;
};

const NONE: JsonObject = Object.freeze({});

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LISTS = ['batch', 'events', 'tracks'] as const;
/** A body with one of these is an event itself, whatever else of its own it says. */
const MARKS = ['type', 'event', 'name', 'userId', 'user_id', 'anonymousId', 'anonymous_id'];

/**
 * Finds the events of a body.
 *
 * @throws Problem ingest-json-broken when the body is neither an object nor a list, or says that it
 *         has events and they are no list.
 */
export function readRequest(body: unknown): WireRequest {
  if (Array.isArray(body)) {
    return { events: body, sentAt: undefined, writeKey: undefined, context: NONE };
  }
  if (!isObject(body)) {
    throw ingestProblem('ingest-json-broken', 'the body is neither an object nor a list');
  }
  for (const name of LISTS) {
    const list = body[name];
    if (Array.isArray(list)) {
      const { sentAt, writeKey, context } = body;
      return { events: list, sentAt, writeKey, context: isObject(context) ? context : NONE };
    }
  }
  const stray = LISTS.find((name) => body[name] !== undefined);
  if (stray !== undefined && !MARKS.some((name) => body[name] !== undefined)) {
    throw ingestProblem('ingest-json-broken', `${stray} must be a list of events`);
  }
  return { events: [body], sentAt: body['sentAt'], writeKey: body['writeKey'], context: NONE };
}

/** Reads one event; `kind` comes from the path, or from `type` where the path leaves it open. */
export function readEvent(sent: JsonObject, kind: Kind | undefined): WireEvent {
  const type = sent['type'];
  const known = kind ?? (type === undefined ? 'track' : type);
  const traits = known === 'identify' || known === 'group';
  const context = sent['context'];
  return {
    kind: typeof known === 'string' && KIND_SET.has(known) ? known : undefined,
    name: sent['event'] ?? sent['name'],
    properties: traits
      ? (sent['traits'] ?? sent['properties'])
      : (sent['properties'] ?? sent['props']),
    context: context ?? (sent['system'] === undefined ? undefined : { system: sent['system'] }),
    userId: sent['userId'] ?? sent['user_id'],
    anonymousId: sent['anonymousId'] ?? sent['anonymous_id'],
    previousId: sent['previousId'],
    groupId: sent['groupId'],
    messageId: sent['messageId'] ?? sent['message_id'],
    timestamp: sent['timestamp'] ?? sent['originalTimestamp'],
    sessionId: sent['sessionId'] ?? sent['session_id'],
  };
}

/** A member of an object that may not be one. */
export const member = (value: unknown, name: string): unknown =>
  isObject(value) ? value[name] : undefined;
