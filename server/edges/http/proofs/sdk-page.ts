/** A page of one person on the served library, and what the server has on record for them. */
import { asClient, type Look, type Page, type PageOptions, type StoredRow } from '#core/looking';

export type Event = {
  readonly messageId?: string;
  readonly anonymousId?: string;
  readonly event?: string;
  readonly context?: Readonly<Record<string, unknown>>;
};

/** Long enough for a busy server, short enough for a proof. */
const SETTLE_MS = 8_000;
/** Then a canary is sent after it, which is given longer. */
const ALONE_MS = 5_000;
const AFTER_CONTROL_MS = 2_000;

/** Loads the library as a page does. */
export const pageOf = (look: Look, options: Partial<PageOptions> = {}): Promise<Page> =>
  look.page({ file: 'troth.js', ...options });

/** Lets everything leave that may leave. */
export const settle = (page: Page) => page.run(`${page.name}.flush()`) as Promise<boolean>;

/**
 * Ends the page, after everything has left. Whom the keeper knows by it is removed later.
 *
 * @returns whether the library says that nothing waits any more.
 */
export async function leave(look: Look, page: Page): Promise<boolean> {
  const isEmpty = await (page.run(`${page.name}.shutdown(${SETTLE_MS})`) as Promise<boolean>);
  const ids = new Set([idOf(page), ...eventsOf(page).map(({ anonymousId }) => anonymousId)]);
  for (const id of ids) if (id !== undefined) await look.canaries.subjectOf('anonymous', id);
  return isEmpty;
}

/** The events that the page has sent, in their order; once each, however often it tried. */
export function eventsOf({ requests }: Page): Event[] {
  const sent = requests.flatMap(
    ({ body }) => (body as { batch?: Event[] } | undefined)?.batch ?? [],
  );
  return [...new Map(sent.map((event) => [event.messageId ?? event, event])).values()];
}

/** `unseen`: nothing can be said, as something was not answered or not even a canary came through. */
export type Missed = 'lost' | 'unseen';
export const isMissed = (result: unknown): result is Missed =>
  result === 'lost' || result === 'unseen';

/** Statuses by which a server puts a client off; 0 where nothing was answered. */
const PUT_OFF: ReadonlySet<number> = new Set([0, 429, 503]);

/** Whether the server left a request of the page for later, so that nothing follows from it. */
export const isPutOff = (requests: readonly { readonly status: number }[]): boolean =>
  requests.some(({ status }) => PUT_OFF.has(status));

/** What a library did of what it was asked for. */
export type Sending = {
  readonly requests: readonly { readonly status: number }[];
  /** What it says itself: nothing waits any more. */
  readonly isEmpty: boolean;
};

/** The row of an event that a library sent, or how it was missed. */
export async function landed(
  { canaries }: Look,
  type: string,
  { messageId }: Event,
  { requests, isEmpty }: Sending,
): Promise<StoredRow | Missed> {
  // It has not come to it, as where something that it needs is not there: that loses nothing.
  if (messageId === undefined && !isEmpty) return 'unseen';
  const rowWithin = async (id: string | undefined, waitMs?: number) =>
    id === undefined ? undefined : (await canaries.stored(type, id, waitMs))[0];
  const row = await rowWithin(messageId, ALONE_MS);
  if (row) return row;
  if (isPutOff(requests)) return 'unseen';
  const { messages } = await canaries.send([canaries.event(type, await canaries.agreeing())]);
  if (!(await rowWithin(messages[0]))) return 'unseen';
  // It was sent before the canary that is there.
  return (await rowWithin(messageId, AFTER_CONTROL_MS)) ?? 'lost';
}

/** Tries once more, on another page, what was missed; `lost` only where it was lost both times. */
export async function twice<T>(attempt: () => Promise<T | Missed>): Promise<T | Missed> {
  const first = await attempt();
  if (!isMissed(first)) return first;
  const second = await attempt();
  return second === 'lost' ? first : second;
}

/** The id that the page keeps in its storage. */
export function idOf({ stored }: Page): string {
  for (const text of stored.values()) {
    const { id } = JSON.parse(text) as { id?: string };
    if (id !== undefined) return id;
  }
  throw new Error('the page keeps no id');
}

export type OnRecord = {
  readonly purposes: Readonly<Record<string, { granted: boolean; required: boolean }>>;
  readonly receipts: readonly { purpose?: string; granted?: boolean }[];
};

/** What the server says about the person of a page. */
export async function recordOf(look: Look, page: Page): Promise<OnRecord> {
  const told = await asClient(look, '/consents/status', {
    body: { handle: { anonymousId: idOf(page) } },
  });
  if (told.status !== 200) throw new Error('the server does not say how consent stands');
  return told.json as OnRecord;
}
