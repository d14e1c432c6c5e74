/**
 * What a promise may hand to a control under `with:`.
 *
 * Numbers never stand here: they live once, in the sections of the document, and a parameter names
 * the place (`setting: backups.keep`) or the thing that carries them (`data: agent-commands`). The
 * parameter names are fixed, because the checker resolves each against its section.
 */
import { z } from 'zod';
import { teachings } from '#grammar';

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected a lower-case word with hyphens');
const OneOrMore = z.union([Id, z.array(Id).min(1)]);
export const Name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_:./ -]{0,63}$/, 'expected a name of at most 64 characters');
export const Names = z.array(Name).min(1);

teachings.add(Id, { expected: 'a lower-case word with hyphens', example: 'agent-commands' });
teachings.add(Name, { expected: 'a name of at most 64 characters', example: 'error-handling' });

/** A data type, or several: keys of `data:`. */
export const data = OneOrMore;
/** A purpose: a key of `purposes:`. */
export const purpose = Id;
export const purposes = z.array(Id).min(1);
/** The path in the document of the value that the software obeys and the sentence states. */
export const setting = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/, 'expected a path with dots');
teachings.add(setting, { expected: 'a path with dots', example: 'backups.keep' });
/** Where events are sent. */
export const path = z.string().regex(/^\/[a-z0-9/-]+$/, 'expected a path of an address');
teachings.add(path, { expected: 'a path of an address', example: '/v1/events' });
/** A function of the published library. */
export const call = z.string().regex(/^[a-zA-Z]+$/, 'expected the name of a call');
teachings.add(call, { expected: 'the name of a call', example: 'track' });
/** Keys of `recipients:`, `cookies:`, `locations:`, `incidents.clocks:`. */
export const recipient = Id;
export const cookie = Id;
export const location = Id;
export const clock = Id;
/** A key of `controller.contacts:`. */
export const contact = Id;
/** A meter of `prices:`. */
export const meter = Id;
/** Keys of `rights:`. */
export const right = Id;
export const rights = z.array(Id).min(1);
export const signal = z.enum(['gpc', 'dnt', 'do-not-sell']);
/** A key of `ingest.enrich:`. */
export const enrichment = z.enum(['geolocation', 'device', 'time-zone', 'session', 'referrer']);

export const Nothing = z.strictObject({});
export const Settings = z.strictObject({ setting });
