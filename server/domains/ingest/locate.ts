import { NOWHERE } from '#platform/location';
import { fillFields } from './fillers.ts';
import { type Addressed, type Batch, NO_DEVICE } from './model.ts';
import type { Tools } from './ports.ts';

/**
 * Finds the country, and where the policy wants them and the database knows them region and city.
 *
 * The country is looked up for every event, because age and consent depend on the region; it stays
 * on the event only where geolocation is switched on.
 */
export function locate(batch: Addressed, { location }: Tools): Addressed {
  const { plan, address } = batch;
  const here = address === undefined ? NOWHERE : location.locate(address);
  for (const event of batch.events) {
    const place = event.address === undefined ? here : location.locate(event.address);
    event.country = place.country;
    if (event.minimal) continue;
    const { context, eventAt: time } = event;
    const known = { context, device: NO_DEVICE, place, time };
    if (plan.enrich.geolocation && plan.precision !== 'country')
      fillFields(event, 'location', known);
    if (plan.enrich['time-zone']) fillFields(event, 'time', known);
  }
  return batch;
}

/**
 * Lets go of the address. It was never written anywhere; from here on it is not even in memory, and
 * the type of what follows has no place for it. Only what is named here goes on: the body as it was
 * sent may hold an address too.
 */
export function forgetAddress(batch: Addressed): Batch {
  for (const event of batch.events) {
    event.address = undefined;
    const context = event.context as { ip?: unknown };
    if (context.ip !== undefined) context.ip = undefined;
  }
  const { tenant, keyKind, permit, plan, receivedAt, userAgent, signals } = batch;
  const { events, refused, dropped, conflicts, group, kept, duplicates, untold } = batch;
  return {
    tenant,
    keyKind,
    permit,
    plan,
    receivedAt,
    userAgent,
    signals,
    events,
    refused,
    dropped,
    conflicts,
    group,
    kept,
    duplicates,
    untold,
  };
}
