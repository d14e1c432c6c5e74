/** The one client of a page, usable before it is configured: what is called early runs then. */
import { closed, createClient } from './client.ts';
import type { Client, ClientOptions } from './model.ts';

export type PageClient = Client & {
  /** Opens the client. A second call changes nothing. */
  configure(options: Partial<ClientOptions>): void;
};

const EARLY_MAX = 200;

const LATER = [
  'track',
  'page',
  'screen',
  'identify',
  'group',
  'alias',
  'setPrivacyPreferences',
  'updateConsent',
  'withdrawConsent',
  'reset',
] as const;
type Later = (...given: unknown[]) => void;

/** @param preset what is known of a tenant's events; the page's own options win. */
export function createPageClient(
  tenant: string,
  preset: (tenant: string) => Partial<ClientOptions> | undefined,
): PageClient {
  let client: Client | undefined;
  const early: ((open: Client) => void)[] = [];
  const calls: Record<string, Later> = {};
  for (const name of LATER) {
    calls[name] = (...given) => {
      const work = (open: Client) => (open[name] as Later)(...given);
      if (client) return work(client);
      early.push(work);
      if (early.length > EARLY_MAX) early.shift();
    };
  }
  return {
    ...(calls as Pick<Client, (typeof LATER)[number]>),
    configure(options) {
      if (client) return;
      const all = { endpoint: '', writeKey: '', tenant, ...options };
      const open = createClient({ ...preset(all.tenant), ...all });
      client = open;
      for (const work of early.splice(0)) work(open);
    },
    getConsentStatus: () => client?.getConsentStatus() ?? closed(),
    flush: async () => client?.flush() ?? false,
    shutdown: async (timeoutMs) => client?.shutdown(timeoutMs) ?? true,
    counts: () => client?.counts() ?? { waiting: early.length, delivered: 0, dropped: {} },
  };
}
