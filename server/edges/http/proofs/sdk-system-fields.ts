import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { eventsOf, isMissed, landed, leave, type Missed, pageOf, twice } from './sdk-page.ts';

/** What an event says besides the machine: nothing of it describes one. */
const ABOUT_THE_EVENT = new Set([
  ...['type', 'messageId', 'anonymousId', 'event', 'properties', 'timestamp', 'context'],
  ...['userId', 'groupId', 'previousId'],
]);
const CONTEXT = new Set(['system', 'consent']);
const SHARED = new Set(['mode', 'signals']);
const ROOM = 32;

async function tryOnce(
  look: Look,
  type: string,
  fields: readonly string[],
): Promise<Seen | Missed> {
  const page = await pageOf(look);
  page.run(`${page.name}.track('page_view', { page: '/canary' })`);
  const isEmpty = await leave(look, page);
  const [event] = eventsOf(page);
  const body = page.requests.find(({ url }) => url.endsWith('/batch'))?.body;
  if (!event || !body) {
    const none = await landed(look, type, {}, { requests: page.requests, isEmpty });
    return isMissed(none) ? none : 'lost';
  }
  const system = (event.context?.['system'] ?? {}) as Record<string, string>;
  const attached = Object.keys(system);
  const missing = fields.filter((name) => !attached.includes(name));
  const more = [
    ...attached.filter((name) => !fields.includes(name)),
    ...Object.keys(event).filter((name) => !ABOUT_THE_EVENT.has(name)),
    ...Object.keys(event.context ?? {}).filter((name) => !CONTEXT.has(name)),
    ...Object.keys((body as { context?: object }).context ?? {}).filter((one) => !SHARED.has(one)),
  ];
  if (missing.length > 0) return broken(saw`${terms(missing)} is not attached`);
  if (more.length > 0) return broken(saw`${terms(more)} is attached as well`);
  if (
    Object.values(system).some(
      (value) => !/^[A-Za-z][A-Za-z .-]*$/.test(value) || value.length > ROOM,
    )
  ) {
    return broken(saw`a fact is more than a plain word`);
  }
  const row = await landed(look, type, event, { requests: page.requests, isEmpty });
  if (isMissed(row)) return row;
  const lost = fields.filter((name) => row[`f_${name}`] !== system[name]);
  if (lost.length > 0) return broken(saw`${terms(lost)} is stored otherwise than it was sent`);
  return kept(saw`attached and stored: ${terms(fields)}, each a plain word, and nothing else`);
}

export const sdkSystemFields = defineProof({
  control: 'sdk.system-fields',
  strength: 'stored-bytes',
  blindTo: 'What the page itself puts into the properties of an event.',
  async prove(look, { fields: bound }) {
    const fields = bound as string[];
    const { canaries, policy } = look;
    const type = canaries.eventTypes.find((id) =>
      policy.data[id]?.['event-names']?.includes('page_view'),
    );
    if (type === undefined) return gap(saw`the policy has no page views`);
    const seen = await twice(() => tryOnce(look, type, fields));
    if (seen === 'lost')
      return broken(saw`the event that the library was asked for was not stored`);
    if (seen === 'unseen') return gap(saw`the server put the page off, or a canary beside it`);
    return seen;
  },
});
