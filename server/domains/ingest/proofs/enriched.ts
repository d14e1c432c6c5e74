/** What an enrichment leaves in a row, and events that each of them could use. */
import { randomInt } from 'node:crypto';
import { type Fields, type Look, withFields } from '#core/looking';
import { asText, type Held, sendAndRead, valueIn } from './sent.ts';

/**
 * Where each enrichment puts what it finds: columns of every table, and fields that a type
 * declares.
 */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  geolocation: ['country'],
  device: ['device', 'os', 'browser'],
  session: ['session'],
};
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  geolocation: ['region', 'city'],
  'time-zone': ['utc_offset_minutes', 'local_hour'],
  referrer: ['referrer_origin'],
};
export const ALL = [...new Set([...Object.keys(COLUMNS), ...Object.keys(FIELDS)])];

const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

/** What an enrichment added to a row. */
export function addedBy(name: string, held: Held): string[] {
  const columns = (COLUMNS[name] ?? []).map((column) => asText(held.row[column]));
  const fields = (FIELDS[name] ?? []).map((field) => asText(valueIn(held, field)));
  return [...columns, ...fields].filter((value) => value !== '' && value !== '0');
}

/** Types of people's events that nobody has to be asked about, and that tracked events land in. */
export const typesOf = ({ policy, canaries }: Look) =>
  canaries.eventTypes.filter((type) => {
    const { key, 'event-names': names = [] } = policy.data[type] ?? {};
    return key === 'subject' && names.some((name) => !name.startsWith('type:'));
  });

type Sent = { readonly rows: readonly Held[]; readonly secrets: readonly string[] };

/** Events with everything that an enrichment could use, two of a session in each type. */
export async function sendRich(look: Look, types: readonly string[]): Promise<Sent | undefined> {
  const person = await look.canaries.agreeing();
  const { marker } = look.canaries.person();
  const latitude = `52.${randomInt(100_000, 999_999)}`;
  const empty = Object.fromEntries(
    Object.values(FIELDS).flatMap((names) => names.map((name) => [name, undefined])),
  );
  const events = types.flatMap((type) => {
    const event = look.canaries.event(type, person);
    const context = {
      ...(event['context'] as object),
      ip: '141.20.1.1',
      timezone: 'Asia/Kolkata',
      userAgent: AGENT,
      page: { referrer: `https://${marker}.example/${marker}?q=${marker}` },
      location: { latitude: Number(latitude), longitude: 13.4, city: marker },
    };
    const more: Fields = {
      ...withFields(event, { ...empty, latitude, location: latitude }),
      context,
    };
    const sending = { type, event: { ...more, sessionId: person.anonymousId } };
    return [sending, sending];
  });
  const rows = await sendAndRead(look, events);
  if (rows.length === 0 || rows.includes(undefined)) return undefined;
  return { rows: rows as Held[], secrets: [`/${marker}`, `q=${marker}`, latitude] };
}
