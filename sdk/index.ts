/**
 * The Troth client for browsers and Node.
 *
 * Closed until consent is known: before the server has said how a person decided, only events that
 * the page calls essential leave. It reads three words about the machine and the two signals of
 * privacy, keeps one entry in first-party storage, asks no server but the one it was given, draws a
 * new anonymous id every day, and never throws into the page.
 */

import { createPageClient, type PageClient } from './page-client.ts';
import { loopkit, magenta } from './presets.ts';

export { createClient } from './client.ts';
export type {
  Answer,
  Client,
  ClientOptions,
  ConsentStatus,
  Counts,
  DropReason,
  EventOptions,
  FetchLike,
  KeyValueStore,
  Mode,
  PrivacyPreferences,
  Properties,
  PurposeState,
  Signals,
  System,
} from './model.ts';
export type { PageClient } from './page-client.ts';

/** A plain object: `export * as` costs every page 60 bytes of helpers. */
export const presets = { loopkit, magenta };

/** The client of a page, with the calls as LoopKit prints them. Configure it once. */
export const LoopKit: PageClient = createPageClient('loopkit', (tenant) =>
  tenant === 'loopkit' ? loopkit : undefined,
);

export const {
  track,
  page,
  screen,
  identify,
  group,
  alias,
  setPrivacyPreferences,
  getConsentStatus,
  updateConsent,
  withdrawConsent,
} = LoopKit;
