import type { Look, Page } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, term } from '#core/promises';
import {
  eventsOf,
  isMissed,
  isPutOff,
  landed,
  leave,
  type Missed,
  pageOf,
  recordOf,
  settle,
  twice,
} from './sdk-page.ts';

/** The samples as they are printed. */
const PREFERENCES = {
  essentialAnalytics: true,
  enhancedInsights: false,
  performanceMonitoring: true,
  errorTracking: false,
  userResearch: false,
};
const PAGE_VIEW = { page: '/dashboard', section: 'analytics', time_spent: 45 };

type Probe = (look: Look, page: Page) => Promise<Seen | Missed>;

/** The id of a purpose that a page calls by one of its other names. */
function purposeOf({ policy }: Look, alias: string): string | undefined {
  return Object.values(policy.purposes).length === 0
    ? undefined
    : Object.entries(policy.purposes).find(([, { aliases }]) => aliases?.includes(alias))?.[0];
}

const typeNamed = ({ policy, canaries }: Look, event: string) =>
  canaries.eventTypes.find((type) => policy.data[type]?.['event-names']?.includes(event));

const track: Probe = async (look, page) => {
  const type = typeNamed(look, 'page_view');
  if (type === undefined) return gap(saw`the policy has no page views`);
  page.run(`${page.name}.track('page_view', ${JSON.stringify(PAGE_VIEW)})`);
  const isEmpty = await leave(look, page);
  const [event = {}] = eventsOf(page);
  const row = await landed(look, type, event, { requests: page.requests, isEmpty });
  if (isMissed(row)) return row;
  const wrong = Object.entries(PAGE_VIEW).filter(
    ([name, value]) => String(row[`f_${name}`]) !== String(value),
  );
  if (wrong.length > 0) return broken(saw`${wrong.length} printed values did not come back`);
  return kept(saw`the printed track() was stored with its 3 values in ${term(type)}`);
};

const setPrivacyPreferences: Probe = async (look, page) => {
  page.run(`${page.name}.setPrivacyPreferences(${JSON.stringify(PREFERENCES)})`);
  await leave(look, page);
  const { purposes, receipts } = await recordOf(look, page);
  let optional = 0;
  for (const [alias, wanted] of Object.entries(PREFERENCES)) {
    const id = purposeOf(look, alias);
    const state = id === undefined ? undefined : purposes[id];
    if (!id || !state) return broken(saw`the server knows no ${term(alias)}`);
    if (state.required) continue;
    optional++;
    const receipt = receipts.find(({ purpose }) => purpose === id);
    if (state.granted !== wanted || receipt?.granted !== wanted) {
      return broken(saw`the server has ${term(alias)} otherwise than the page set it`);
    }
  }
  return kept(saw`all 5 keys were taken; the server has ${optional} decisions on record as set`);
};

const getConsentStatus: Probe = async (look, page) => {
  page.run(`${page.name}.updateConsent('errorTracking', true)`);
  await settle(page);
  const told = JSON.parse(
    page.run(`JSON.stringify(${page.name}.getConsentStatus())`) as string,
  ) as { known?: boolean; purposes?: Record<string, { granted: boolean }> };
  await leave(look, page);
  const { purposes } = await recordOf(look, page);
  if (!told.known || !told.purposes) return broken(saw`the call does not say how consent stands`);
  const names = Object.keys(purposes);
  const wrong = names.filter((name) => told.purposes?.[name]?.granted !== purposes[name]?.granted);
  if (names.length === 0) return gap(saw`the server names no purpose`);
  if (wrong.length > 0) return broken(saw`${wrong.length} of ${names.length} purposes differ`);
  return kept(saw`the call and the server's record agree on ${names.length} purposes`);
};

const updateConsent: Probe = async (look, page) => {
  const id = purposeOf(look, 'enhancedInsights');
  if (id === undefined) return gap(saw`the policy has no such purpose`);
  await settle(page);
  const before = (await recordOf(look, page)).purposes;
  page.run(`${page.name}.updateConsent('enhancedInsights', true)`);
  await leave(look, page);
  const { purposes, receipts } = await recordOf(look, page);
  if (before[id]?.granted !== false || purposes[id]?.granted !== true) {
    return broken(saw`${term(id)} is not granted after the printed call`);
  }
  const others = Object.keys(purposes).filter(
    (name) => name !== id && purposes[name]?.granted !== before[name]?.granted,
  );
  if (others.length > 0) return broken(saw`${others.length} other purposes changed as well`);
  const issued = receipts.filter(({ purpose, granted }) => purpose === id && granted === true);
  if (issued.length !== 1) return broken(saw`${issued.length} receipts were issued, not one`);
  return kept(saw`one purpose went from no to yes with one receipt; all others stayed`);
};

const withdrawConsent: Probe = async (look, page) => {
  const type = typeNamed(look, 'insight_viewed');
  const id = purposeOf(look, 'enhancedInsights');
  if (type === undefined || id === undefined) return gap(saw`the policy has no such purpose`);
  const send = `${page.name}.track('insight_viewed', { insight: 'canary', useful: true })`;
  page.run(`${page.name}.updateConsent('enhancedInsights', true)`);
  await settle(page);
  page.run(send);
  const isEmpty = await settle(page);
  const first = eventsOf(page).find(({ event }) => event === 'insight_viewed');
  const row = await landed(look, type, first ?? {}, { requests: page.requests, isEmpty });
  if (isMissed(row)) return row;
  page.run(`${page.name}.withdrawConsent()`);
  page.run(send);
  await leave(look, page);
  const sent = eventsOf(page).filter(({ event }) => event === 'insight_viewed').length;
  if (sent !== 1) return broken(saw`an optional event left the page after the withdrawal`);
  const { purposes } = await recordOf(look, page);
  const open = Object.entries(purposes).filter(([, { granted, required }]) => granted && !required);
  if (open.length > 0) return broken(saw`${open.length} optional purposes are still granted`);
  const late = await look.canaries.send([{ ...first, messageId: `${first?.messageId}-late` }]);
  const { dropped } = late.json as { dropped?: Record<string, number> };
  if (dropped?.['no-consent'] !== 1) return broken(saw`the server took an optional event after it`);
  return kept(
    saw`before it an optional event was stored; after it none left the page, the server dropped one
 that was sent past it, and no optional purpose is granted`,
  );
};

const PROBES: Readonly<Record<string, Probe>> = {
  track,
  setPrivacyPreferences,
  getConsentStatus,
  updateConsent,
  withdrawConsent,
};

/** What a page saw while its requests were put off is no finding. */
async function tryOnce(look: Look, probe: Probe): Promise<Seen | Missed> {
  const page = await pageOf(look);
  const seen = await probe(look, page);
  return !isMissed(seen) && seen.state === 'broken' && isPutOff(page.requests) ? 'unseen' : seen;
}

export const sdkCall = defineProof({
  control: 'sdk.call',
  strength: 'stored-bytes',
  blindTo: 'Browsers: the served file runs in a page that has their objects and no screen.',
  async prove(look, { call: bound }) {
    const call = bound as string;
    const page = await pageOf(look);
    if (typeof page.client[call] !== 'function') {
      return gap(saw`the library has no ${term(call)}() yet`);
    }
    const probe = PROBES[call];
    if (!probe) return gap(saw`there is no probe for ${term(call)}()`);
    const seen = await twice(() => tryOnce(look, probe));
    if (seen === 'lost') return broken(saw`what ${term(call)}() sent was not stored, twice`);
    if (seen === 'unseen')
      return gap(saw`the server put ${term(call)}() off, or a canary beside it`);
    return seen;
  },
});
