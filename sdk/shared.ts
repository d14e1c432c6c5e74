/** The one client of a page, usable before it is configured: what is called early runs then. */
import { createClient } from './client.ts';
import { readSignals } from './host.ts';
import type { Client, ClientOptions } from './model.ts';
import { PRESETS } from './presets.ts';

export type SharedClient = Client & {
  /** Opens the client. A second call changes nothing. */
  configure(options: Partial<ClientOptions>): void;
};

const EARLY_MAX = 200;

export function createShared(defaults: Partial<ClientOptions> = {}): SharedClient {
  let client: Client | undefined;
  const early: ((open: Client) => void)[] = [];
  const run = (work: (open: Client) => void) => {
    if (client) return work(client);
    early.push(work);
    if (early.length > EARLY_MAX) early.shift();
  };
  const closed = () => ({ known: false, preferences: {}, purposes: {}, signals: readSignals() });
  return {
    configure(options) {
      if (client) return;
      const { tenant = defaults.tenant ?? '' } = options ?? {};
      const all = { endpoint: '', writeKey: '', ...defaults, ...PRESETS[tenant], ...options };
      const open = createClient({ ...all, tenant });
      client = open;
      for (const work of early.splice(0)) work(open);
    },
    track: (...given) => run((open) => open.track(...given)),
    page: (...given) => run((open) => open.page(...given)),
    screen: (...given) => run((open) => open.screen(...given)),
    identify: (...given) => run((open) => open.identify(...given)),
    group: (...given) => run((open) => open.group(...given)),
    alias: (...given) => run((open) => open.alias(...given)),
    setPrivacyPreferences: (...given) => run((open) => open.setPrivacyPreferences(...given)),
    getConsentStatus: () => client?.getConsentStatus() ?? closed(),
    updateConsent: (...given) => run((open) => open.updateConsent(...given)),
    withdrawConsent: () => run((open) => open.withdrawConsent()),
    reset: () => run((open) => open.reset()),
    flush: () => client?.flush() ?? Promise.resolve(false),
    shutdown: (...given) => client?.shutdown(...given) ?? Promise.resolve(true),
    counts: () => client?.counts() ?? { waiting: early.length, delivered: 0, dropped: {} },
  };
}
