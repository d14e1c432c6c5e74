import { createHash, randomUUID } from 'node:crypto';
import type { Look, Page, PageOptions } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import { typesOfPeople } from './mode-refuses.ts';
import { sendAndRead } from './sent.ts';

const DAY_MS = 86_400_000;

type Sent = { readonly anonymousId?: string; readonly messageId?: string };

/** Opens a page, sends one page view from it, and says under which id. */
async function viewFrom(look: Look, options: Partial<PageOptions> = {}) {
  const page = await look.page({ file: 'troth.js', ...options });
  page.run(`${page.name}.track('page_view', { page: '/canary', section: 'canary' })`);
  await (page.run(`${page.name}.shutdown(8000)`) as Promise<boolean>);
  const events = page.requests.flatMap(
    ({ body }) => (body as { batch?: Sent[] } | undefined)?.batch ?? [],
  );
  const [first] = events;
  if (first?.anonymousId === undefined) throw new Error('the page sent no event');
  return { page, id: first.anonymousId, message: first.messageId ?? '' };
}

const reachedForCookies = ({ touched }: Page) =>
  [...touched].filter((name) => name === 'document.cookie' || name === 'window.cookieStore');

async function proveSites(look: Look): Promise<Seen> {
  const here = await viewFrom(look);
  const again = await viewFrom(look, { stored: new Map(here.page.stored) });
  const there = await viewFrom(look, { site: 'https://other.example' });
  if (again.id !== here.id)
    return gap(saw`the library keeps no id on one site, so none can differ`);
  if (here.id === there.id) return broken(saw`one browser has one id on two sites`);
  const pages = [here.page, again.page, there.page];
  const requests = pages.flatMap(({ requests: all }) => all);
  const cookies = requests.reduce((sum, one) => sum + one.cookies, 0);
  if (cookies > 0) return broken(saw`${cookies} cookies were set for pages of other sites`);
  const touched = pages.flatMap(reachedForCookies);
  if (touched.length > 0) return broken(saw`the library reached for cookies`);
  const hosts = new Set(requests.map(({ url }) => new URL(url).origin));
  if (hosts.size !== 1) return broken(saw`the library asked ${hosts.size} servers`);
  const type = look.canaries.eventTypes.find((id) =>
    look.policy.data[id]?.['event-names']?.includes('page_view'),
  );
  if (type === undefined) return gap(saw`the policy has no page views`);
  const rows = [];
  for (const { message } of [here, there]) {
    const [row] = await look.canaries.stored(type, message);
    if (!row) return gap(saw`a page view could not be read back`);
    rows.push(row);
  }
  if (rows[0]?.['session'] === rows[1]?.['session']) {
    return broken(saw`two sites of one browser are stored under one number`);
  }
  return kept(
    saw`the same browser has the same id again on one site and another on a second, under other
 numbers in storage; ${requests.length} requests to one server set no cookie and none was read`,
  );
}

/** The number of a session under the key of a day, worked out apart from the pipeline's own code. */
function sessionNumber({ keys, tenant }: Look, text: string, day: number): string {
  const hex = (half: number) => half.toString(16).padStart(8, '0');
  const key = Array.from({ length: 4 }, (_, at) => {
    const { low, high } = keys.hash(tenant, 'session-key', String(at), day);
    return hex(low) + hex(high);
  }).join('');
  const digest = createHash('sha256').update(`${day} ${key}${text}`).digest();
  return ((BigInt(digest.readUInt32BE(4)) << 32n) | BigInt(digest.readUInt32BE(0))).toString();
}

async function proveDays(look: Look): Promise<Seen> {
  const stored = new Map<string, string>();
  const today = await viewFrom(look, { stored });
  const tomorrow = await viewFrom(look, { stored: new Map(stored), laterMs: DAY_MS });
  if (today.id === tomorrow.id) return broken(saw`one browser has one id on two days`);
  const after = JSON.stringify([...tomorrow.page.stored]);
  if (after.includes(today.id)) return broken(saw`yesterday's id is still kept in the browser`);
  // A client of its own making may keep one id for ever: the server must not be able to use it.
  const type = typesOfPeople(look)?.tracked;
  if (type === undefined) return gap(saw`the policy has no type for this`);
  const visitor = randomUUID();
  const { userId: _, ...event } = look.canaries.event(type, look.canaries.person());
  const before = Math.floor((await look.now()).getTime() / DAY_MS);
  const [found] = await sendAndRead(look, [{ type, event: { ...event, anonymousId: visitor } }]);
  if (!found) return gap(saw`an event without a name could not be read back`);
  const day = Math.floor(Date.parse(found.row.received_at) / DAY_MS);
  if (day !== before) return gap(saw`the day changed while it was looked at`);
  const numbers = [day - 1, day, day + 1].map((one) => sessionNumber(look, visitor, one));
  const number = String(found.row['session']);
  if (number !== numbers[1]) return broken(saw`a session is not numbered under the key of its day`);
  if (new Set(numbers).size !== 3) return broken(saw`one session has one number on two days`);
  if (found.text.includes(visitor)) return broken(saw`the id of a browser was stored as it came`);
  return kept(
    saw`the library drew another id for the next day and forgot the old one; an id that a client
 keeps is stored as a number under the key of the day, which is another on the day before and after`,
  );
}

export const unlinkable = defineProof({
  control: 'identify.unlinkable',
  strength: 'stored-bytes',
  blindTo: 'A page that hands in an id of its own making, or puts a name into an event.',
  async prove(look, { across }) {
    if (across === 'sites') return proveSites(look);
    if (across === 'days') return proveDays(look);
    return gap(saw`there is no probe for ${term(String(across))}`);
  },
});
