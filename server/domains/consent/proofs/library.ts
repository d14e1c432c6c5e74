/** The switch as a page has it: the library that the server hands out, and what leaves it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Look, Page } from '#core/looking';
import { broken, type Seen, saw, term } from '#core/promises';
import { gatedBy } from './gates.ts';

type Sent = { readonly event?: string; readonly name?: string; readonly messageId?: string };

/** The calls by which a page turns one purpose off, or everything that can be. */
const WAYS_OFF = ['setPrivacyPreferences', 'updateConsent', 'withdrawConsent'] as const;
const WITHIN_MS = 8_000;
const AGAIN_MS = 100;

const quoted = (value: unknown) => JSON.stringify(value);

const openLibrary = (look: Look, stored?: Map<string, string>): Promise<Page> =>
  look.page({
    file: 'troth.js',
    dataset: { tenant: look.tenant },
    ...(stored === undefined ? {} : { stored }),
  });

/** How often an event of this mark was in a request of the page. */
const leftWith = ({ requests }: Page, mark: string): number =>
  requests.filter(({ url, body }) => {
    const { batch = [] } = (body ?? {}) as { batch?: Sent[] };
    return url.endsWith('/batch') && quoted(batch).includes(mark);
  }).length;

/** An event for the purpose, as a page sends it; `mark` tells it from others. */
function track({ name, run }: Page, look: Look, purpose: string, mark: string): void {
  const [type = ''] = [...gatedBy(look, purpose), ...look.canaries.eventTypes];
  const names = look.policy.data[type]?.['event-names'] ?? [];
  const event = names.find((one) => /^\w+$/.test(one)) ?? 'Something Seen';
  run(`${name}.track(${quoted(event)}, { page: ${quoted(`/${mark}`)} }, ${quoted({ purpose })})`);
}

const turn = ({ name, run }: Page, purpose: string, isOn: boolean) =>
  run(`${name}.setPrivacyPreferences({ ${quoted(purpose)}: ${isOn} })`);

function turnOff(page: Page, purpose: string, way: (typeof WAYS_OFF)[number]): void {
  if (way === 'setPrivacyPreferences') turn(page, purpose, false);
  if (way === 'updateConsent') page.run(`${page.name}.updateConsent(${quoted(purpose)}, false)`);
  if (way === 'withdrawConsent') page.run(`${page.name}.withdrawConsent()`);
}

/** Everything that may leave has left. @throws Error when the server could not be asked. */
async function settle({ name, run }: Page): Promise<void> {
  const end = performance.now() + WITHIN_MS;
  while (!(await (run(`${name}.flush()`) as Promise<boolean>))) {
    if (performance.now() > end) throw new Error('the library did not reach the server');
    await sleep(AGAIN_MS);
  }
}

/** One way of turning it off: what left while on, what left while off, and after a reload. */
async function tried(look: Look, purpose: string, way: (typeof WAYS_OFF)[number]) {
  const stored = new Map<string, string>();
  const page = await openLibrary(look, stored);
  const mark = (when: string) => `${look.canaries.person().marker}${when}`;
  const [first, waiting, off, later, again] = ['a', 'b', 'c', 'd', 'e'].map(mark) as [
    ...[string, string, string, string, string],
  ];
  turn(page, purpose, true);
  await settle(page);
  track(page, look, purpose, first);
  await settle(page);
  // What is still in the page when the switch is turned must not leave either.
  track(page, look, purpose, waiting);
  turnOff(page, purpose, way);
  track(page, look, purpose, off);
  await settle(page);
  track(page, look, purpose, off);
  await settle(page);
  const reloaded = await openLibrary(look, new Map(stored));
  track(reloaded, look, purpose, later);
  await settle(reloaded);
  turn(page, purpose, true);
  await settle(page);
  track(page, look, purpose, again);
  await settle(page);
  for (const one of [page, reloaded])
    await (one.run(`${one.name}.shutdown(1)`) as Promise<boolean>);
  const closed = leftWith(page, waiting) + leftWith(page, off) + leftWith(reloaded, later);
  return { on: [leftWith(page, first), leftWith(page, again)] as const, closed };
}

/**
 * Opens the library and turns the purpose on, off in each way there is, and on again.
 *
 * @returns what was wrong; `undefined` where events left while it was on and none while it was off.
 * @throws Error when the library could not reach the server.
 */
export async function libraryObeys(look: Look, purpose: string): Promise<Seen | undefined> {
  for (const way of WAYS_OFF) {
    const { on, closed } = await tried(look, purpose, way);
    const how = saw`${term(purpose)}, turned off by ${term(way)}`;
    if (closed > 0) return broken(saw`${closed} requests with events left the library: ${how}`);
    if (on[0] === 0) return broken(saw`no event left the library while it was on: ${how}`);
    if (on[1] === 0) return broken(saw`no event left the library after it was on again: ${how}`);
  }
  return undefined;
}

/** How many ways of turning it off were looked at. */
export const WAYS = WAYS_OFF.length;
