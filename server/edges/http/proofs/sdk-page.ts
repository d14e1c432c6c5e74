/** A page of one person on the served library, and what the server has on record for them. */
import { asClient, type Look, type Page, type PageOptions } from '#core/looking';

export type Event = {
  readonly messageId?: string;
  readonly anonymousId?: string;
  readonly event?: string;
  readonly context?: Readonly<Record<string, unknown>>;
};

/** Long enough for a busy server, short enough for a proof. */
const SETTLE_MS = 8_000;

/** Loads the library as a page does. */
export const pageOf = (look: Look, options: Partial<PageOptions> = {}): Promise<Page> =>
  look.page({ file: 'troth.js', ...options });

/** Lets everything leave that may leave. */
export const settle = (page: Page) => page.run(`${page.name}.flush()`) as Promise<boolean>;

/** Ends the page, after everything has left. Whom the keeper knows by it is removed later. */
export async function leave(look: Look, page: Page): Promise<void> {
  await (page.run(`${page.name}.shutdown(${SETTLE_MS})`) as Promise<boolean>);
  const ids = new Set([idOf(page), ...eventsOf(page).map(({ anonymousId }) => anonymousId)]);
  for (const id of ids) if (id !== undefined) await look.canaries.subjectOf('anonymous', id);
}

/** The events that the page has sent, in their order. */
export const eventsOf = ({ requests }: Page): Event[] =>
  requests.flatMap(({ body }) => (body as { batch?: Event[] } | undefined)?.batch ?? []);

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
