/**
 * Declared fields that the sender need not fill in, because the platform knows the value: the path
 * of the page, the family of the browser, the hour where the person is. Only where the policy
 * declares a field of that name, and only what the enrichment's switch allows.
 */
import { originOf } from './fields.ts';
import { type Device, type IngestEvent, MODE } from './model.ts';
import type { Place } from './ports.ts';
import { type JsonObject, member } from './wire.ts';

/** What a filler may look at; never an address, never the raw user agent. */
export type Known = {
  readonly context: JsonObject;
  readonly device: Device;
  readonly place: Place;
  readonly time: number;
};

export type Filler = {
  readonly step: 'context' | 'referrer' | 'location' | 'time' | 'device';
  readonly index: number;
  readonly find: (known: Known) => unknown;
  /** Only where the row has a person. */
  readonly ofPeople: boolean;
};

type Finder = readonly [Filler['step'], Filler['find']];

/** A word of a client library about itself; it is not stripped later, so nothing else may pass. */
const PLAIN_WORD = /^[A-Za-z][A-Za-z .-]{0,31}$/;

const page =
  (name: string): Filler['find'] =>
  ({ context }) =>
    member(context['page'], name);
const system =
  (name: string, otherwise: Filler['find'] = () => undefined): Filler['find'] =>
  (known) => {
    const told = member(known.context['system'], name);
    return typeof told === 'string' && PLAIN_WORD.test(told) ? told : otherwise(known);
  };
const screen =
  (name: string): Filler['find'] =>
  ({ context }) =>
    member(context['viewport'], name) ?? member(context['screen'], name);

/** Minutes east of Greenwich, from a number or from the name of a time zone. */
function offsetMinutes({ context, time }: Known): number | undefined {
  const told = context['utcOffsetMinutes'] ?? context['utc_offset'];
  if (typeof told === 'number' && Math.abs(told) <= 840) return Math.round(told / 15) * 15;
  const zone = context['timezone'];
  return typeof zone === 'string' && zone.length <= 64 ? offsetOf(zone, time) : undefined;
}

const zones = new Map<string, { readonly hour: number; readonly minutes: number | undefined }>();
const ZONES_MAX = 500;

function offsetOf(zone: string, time: number): number | undefined {
  const hour = Math.floor(time / 3_600_000);
  const seen = zones.get(zone);
  if (seen?.hour === hour) return seen.minutes;
  if (zones.size >= ZONES_MAX) zones.clear();
  const minutes = computeOffset(zone, time);
  zones.set(zone, { hour, minutes });
  return minutes;
}

function computeOffset(zone: string, time: number): number | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    const name = parts.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign = '+', hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  } catch {
    // An invented time zone says nothing about where somebody is; the field stays empty.
    return undefined;
  }
}

function localHour(known: Known): number | undefined {
  const minutes = offsetMinutes(known);
  return minutes === undefined ? undefined : new Date(known.time + minutes * 60_000).getUTCHours();
}

const FINDERS: Readonly<Record<string, Finder>> = {
  path: ['context', page('path')],
  page: ['context', page('path')],
  title: ['context', page('title')],
  campaign: ['context', ({ context }) => member(context['campaign'], 'name')],
  viewport_width: ['context', screen('width')],
  viewport_height: ['context', screen('height')],
  referrer_origin: ['referrer', (known) => originOf(page('referrer')(known))],
  region: ['location', ({ place }) => place.region],
  city: ['location', ({ place }) => place.city],
  utc_offset_minutes: ['time', offsetMinutes],
  local_hour: ['time', localHour],
  platform: ['device', system('platform')],
  browser: ['device', system('browser', ({ device }) => device.browser || undefined)],
  browser_family: ['device', ({ device }) => device.browser || undefined],
  user_agent_family: ['device', ({ device }) => device.browser || undefined],
  device_type: ['device', system('device_type', ({ device }) => device.type || undefined)],
  device_class: ['device', ({ device }) => device.type || undefined],
};

/**
 * Text of the page that nobody declared as its own may name somebody. No erasure finds a row
 * without a person, so such a row holds it only when the sender says it in a declared field.
 */
const OF_PEOPLE: ReadonlySet<string> = new Set(['title']);

/** The fillers of a data type, by the step that runs them. */
export function fillersOf(
  fields: readonly { readonly name: string }[],
): Record<Filler['step'], Filler[]> {
  const found: Record<Filler['step'], Filler[]> = {
    context: [],
    referrer: [],
    location: [],
    time: [],
    device: [],
  };
  fields.forEach(({ name }, index) => {
    const finder = Object.hasOwn(FINDERS, name) ? FINDERS[name] : undefined;
    if (!finder) return;
    const [step, find] = finder;
    found[step].push({ step, index, find, ofPeople: OF_PEOPLE.has(name) });
  });
  return found;
}

/** Fills in what the sender left empty, each value read as the policy declares it. */
export function fillFields(event: IngestEvent, step: Filler['step'], known: Known): void {
  const { fillers, fields } = event.type;
  for (const { index, find, ofPeople } of fillers[step]) {
    if (event.values[index] !== undefined) continue;
    if (ofPeople && event.mode === MODE.anonymous) continue;
    const value = find(known);
    if (value === undefined) continue;
    const read = fields[index]?.read(value);
    if (typeof read !== 'symbol') event.values[index] = read;
  }
}
