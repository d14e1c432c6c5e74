/** What a client of a service does: it asks with a write key, and sends events. */
import type { Ask, Canary, Look, StoredRow, Told } from './look.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What a request with this key carries (RFC 6750). */
export const bearer = (writeKey: string) => ({ authorization: `Bearer ${writeKey}` });

/** Asks a door of the service with its write key. @param path  below `/v1/t/<service>`. */
export const asClient = (
  { http, tenant, writeKey }: Pick<Look, 'http' | 'tenant' | 'writeKey'>,
  path: string,
  ask: Ask = {},
): Promise<Told> =>
  http(`/v1/t/${tenant}${path}`, { ...ask, headers: { ...bearer(writeKey), ...ask.headers } });

/** Where an event carries its declared fields. */
export const holderOf = (event: Fields) => ('traits' in event ? 'traits' : 'properties');

/** The event with more, or other, declared or undeclared fields. */
export function withFields(event: Fields, more: Fields): Fields {
  const holder = holderOf(event);
  return { ...event, [holder]: { ...(event[holder] as Fields | undefined), ...more } };
}

/** Sends one event; its row, or `undefined` where it was refused or is not there in time. */
export async function readBack(
  { canaries }: Look,
  type: string,
  event: Fields,
): Promise<StoredRow | undefined> {
  const { messages, status } = await canaries.send([event]);
  const [row] = status === 200 ? await canaries.stored(type, messages[0] ?? '') : [];
  return row;
}

/** The types of events whose rows name their person. */
export const typesByPerson = ({ canaries, policy }: Look): string[] =>
  canaries.eventTypes.filter((type) => policy.data[type]?.key === 'subject');

type PersonalRow = { readonly type: string; readonly person: Canary; readonly row: StoredRow };

/** A row that names somebody who agreed to everything; `undefined` where none came back. */
export async function personalRow(look: Look): Promise<PersonalRow | undefined> {
  const [type] = typesByPerson(look);
  if (type === undefined) return undefined;
  const person = await look.canaries.agreeing();
  const row = await readBack(look, type, look.canaries.event(type, person));
  return row && { type, person, row };
}
