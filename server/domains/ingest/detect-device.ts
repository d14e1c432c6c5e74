import bowser from 'bowser';
import { NOWHERE } from '#platform/location';
import { fillFields } from './fillers.ts';
import { type Batch, type Device, NO_DEVICE } from './model.ts';

/** Bounded: user agents repeat, but anyone may send a new one with every request. */
const SEEN_MAX = 2_000;
const USER_AGENT_MAX = 512;
const seen = new Map<string, Device>();

/**
 * Reduces a user agent to three words: the class of device, the family of the system, the family of
 * the browser. Versions, models and everything else that tells one browser from another is left
 * out.
 */
export function reduceUserAgent(userAgent: string): Device {
  const known = seen.get(userAgent);
  if (known) return known;
  const device = readUserAgent(userAgent.slice(0, USER_AGENT_MAX));
  if (seen.size >= SEEN_MAX) {
    const oldest = seen.keys().next().value;
    if (oldest !== undefined) seen.delete(oldest);
  }
  seen.set(userAgent, device);
  return device;
}

function readUserAgent(userAgent: string): Device {
  if (userAgent === '') return NO_DEVICE;
  const found = bowser.parse(userAgent);
  const known = found.browser.name !== undefined || found.os.name !== undefined;
  return {
    type: found.platform.type ?? (known ? 'other' : ''),
    os: word(found.os.name),
    browser: word(found.browser.name),
  };
}

/** bowser copies an unknown first word of the header; only plain names pass. */
const word = (name: string | undefined) =>
  name !== undefined && /^[A-Za-z][A-Za-z0-9 .+-]{1,30}$/.test(name) ? name : '';

/** Adds the reduced device where the policy switches it on; nothing else of the header goes on. */
export function detectDevice(batch: Batch): Batch {
  const own = batch.userAgent === undefined ? NO_DEVICE : reduceUserAgent(batch.userAgent);
  const { device: on, referrer } = batch.plan.enrich;
  if (!on && !referrer) return batch;
  for (const event of batch.events) {
    if (event.minimal) continue;
    const { context, eventAt: time } = event;
    const { userAgent } = context as { userAgent?: unknown };
    const device = typeof userAgent === 'string' ? reduceUserAgent(userAgent) : own;
    const known = { context, device, place: NOWHERE, time };
    if (on) {
      event.device = device;
      fillFields(event, 'device', known);
    }
    if (referrer) fillFields(event, 'referrer', known);
  }
  return batch;
}
