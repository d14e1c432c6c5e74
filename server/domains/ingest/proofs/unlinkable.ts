import { createHash, randomUUID } from 'node:crypto';
import type { Look, Page, PageOptions, StoredRow } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import { typesOfPeople } from './mode-refuses.ts';
import { asText, type Held, NOBODY, sendAndRead } from './sent.ts';

const DAY_MS = 86_400_000;

type Sent = { readonly anonymousId?: string; readonly messageId?: string };

/** What a page sends: a view, and something that a person does, which is kept by person. */
const SENT = [
  { event: 'page_view', fields: { page: '/canary', section: 'canary' } },
  { event: 'feature_used', fields: { feature: 'canary' } },
] as const;

/** Opens a page, sends both from it, and says under which id. */
async function viewFrom(look: Look, options: Partial<PageOptions> = {}) {
  const page = await look.page({ file: 'troth.js', ...options });
  for (const { event, fields } of SENT) {
    page.run(`${page.name}.track(${JSON.stringify(event)}, ${JSON.stringify(fields)})`);
  }
  await (page.run(`${page.name}.shutdown(8000)`) as Promise<boolean>);
  const events = page.requests.flatMap(
    ({ body }) => (body as { batch?: Sent[] } | undefined)?.batch ?? [],
  );
  const [first] = events;
  if (first?.anonymousId === undefined || events.length < SENT.length) {
    throw new Error('the page sent no event');
  }
  const messages = events.map(({ messageId = '' }) => messageId);
  return { page, id: first.anonymousId, messages };
}

/** The rows of what a page sent, in the order of sending. @throws Error where one is not there. */
async function rowsOf(look: Look, messages: readonly string[]): Promise<StoredRow[]> {
  const found = SENT.map(async ({ event }, at) => {
    const type = look.canaries.eventTypes.find((id) =>
      look.policy.data[id]?.['event-names']?.includes(event),
    );
    if (type === undefined) throw new Error('the policy does not know what the page sends');
    const [row] = await look.canaries.stored(type, messages[at] ?? '');
    if (!row) throw new Error('an event of the page could not be read back');
    return row;
  });
  return Promise.all(found);
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
  const [ours, theirs] = [await rowsOf(look, here.messages), await rowsOf(look, there.messages)];
  for (const [at, row] of ours.entries()) {
    const other = theirs[at];
    // Without a number, or under nobody, there is nothing to join by.
    if (row['session'] !== '0' && row['session'] === other?.['session'])
      return broken(saw`two sites of one browser are stored under one number`);
    if (row.subject !== NOBODY && row.subject === other?.subject)
      return broken(saw`two sites of one browser are stored under one person`);
  }
  return kept(
    saw`the same browser has the same id again on one site and another on a second; ${ours.length} of
 ${ours.length} kinds of events are stored under other numbers and no common person; ${requests.length} requests to one server set no cookie and none was read`,
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

type Visit = { readonly visitor: string; readonly session: string | undefined };

/** What tells two visitors apart in the store, beside the number that changes with the day. */
function toldApartBy(own: readonly Held[], others: readonly Held[]): string | undefined {
  const first = own[0]?.row ?? ({} as StoredRow);
  return Object.keys(first).find((column) => {
    const isOwn = ({ row }: Held) => asText(row[column]) === asText(first[column]);
    return column !== 'session' && own.every(isOwn) && !others.some(isOwn);
  });
}

/**
 * A client of its own making may keep one id for ever, of a browser or of a session: the server
 * must not be able to use it.
 */
async function proveKeptIds(look: Look, type: string): Promise<Seen | undefined> {
  const [one, other] = [randomUUID(), randomUUID()];
  const visits: Visit[] = [one, other].flatMap((visitor) => [
    { visitor, session: undefined },
    { visitor, session: undefined },
    { visitor, session: randomUUID() },
  ]);
  const { userId: _, ...event } = look.canaries.event(type, look.canaries.person());
  const before = Math.floor((await look.now()).getTime() / DAY_MS);
  const found = await sendAndRead(
    look,
    visits.map(({ visitor, session }) => ({
      type,
      event: { ...event, anonymousId: visitor, ...(session && { sessionId: session }) },
    })),
  );
  const rows = found.filter((held) => held !== undefined);
  if (rows.length < visits.length) return gap(saw`an event without a name could not be read back`);
  for (const [at, { row, text }] of rows.entries()) {
    const { visitor, session } = visits[at] as Visit;
    const day = Math.floor(Date.parse(row.received_at) / DAY_MS);
    if (day !== before) return gap(saw`the day changed while it was looked at`);
    const numbers = [day - 1, day, day + 1].map((on) =>
      sessionNumber(look, session ?? visitor, on),
    );
    const number = String(row['session']);
    const named = term(session === undefined ? 'a browser' : 'a session that is named');
    if (number !== '0' && number !== numbers[1])
      return broken(saw`${named} is not numbered under the key of its day`);
    if (new Set(numbers).size !== 3) return broken(saw`${named} has one number on two days`);
    if (row.subject !== NOBODY)
      return broken(saw`an event without a name is stored under a person`);
    if (text.includes(visitor) || (session !== undefined && text.includes(session)))
      return broken(saw`the id of ${named} was stored as it came`);
  }
  const column = toldApartBy(rows.slice(0, 3), rows.slice(3));
  if (column === undefined) return undefined;
  return broken(saw`one visitor is told from another by ${term(column)}, which no day changes`);
}

async function proveDays(look: Look): Promise<Seen> {
  const stored = new Map<string, string>();
  const today = await viewFrom(look, { stored });
  const tomorrow = await viewFrom(look, { stored: new Map(stored), laterMs: DAY_MS });
  if (today.id === tomorrow.id) return broken(saw`one browser has one id on two days`);
  const after = JSON.stringify([...tomorrow.page.stored]);
  if (after.includes(today.id)) return broken(saw`yesterday's id is still kept in the browser`);
  const rows = [
    ...(await rowsOf(look, today.messages)),
    ...(await rowsOf(look, tomorrow.messages)),
  ];
  const named = rows.filter(({ subject }) => subject !== NOBODY).length;
  if (named > 0) return broken(saw`${named} of ${rows.length} events of a page are under a person`);
  const type = typesOfPeople(look)?.tracked;
  if (type === undefined) return gap(saw`the policy has no type for this`);
  const wrong = await proveKeptIds(look, type);
  if (wrong) return wrong;
  return kept(
    saw`the library drew another id for the next day and forgot the old one, and ${rows.length} of
 ${rows.length} of its events are under nobody; an id of a browser or of a session that a client
 keeps is stored as a number under the key of the day, which is another on the day before and after,
 and nothing else tells one visitor from another`,
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
