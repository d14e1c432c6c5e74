/**
 * What `<script src=".../troth.js" data-write-key="...">` runs: one global, and nothing else. The
 * server is the one that the script came from, unless `data-endpoint` names another.
 */
import type { ClientOptions, Mode } from './model.ts';
import { createPageClient } from './page-client.ts';
import { loopkit, magenta } from './presets.ts';

/** Filled in by the build: LoopKit or magenta. */
declare const GLOBAL_NAME: string;
declare const TENANT: 'loopkit' | 'magenta';

type Script = { src?: string; dataset?: Record<string, string | undefined> };
type Page = { document?: { currentScript?: Script | null } } & Record<string, unknown>;

const page = globalThis as unknown as Page;
const client = createPageClient(TENANT, (tenant) =>
  tenant === TENANT ? (TENANT === 'loopkit' ? loopkit : magenta) : undefined,
);
page[GLOBAL_NAME] = client;

try {
  const { src, dataset = {} } = page.document?.currentScript ?? {};
  const { writeKey, endpoint, tenant, mode } = dataset;
  if (writeKey && src) {
    const options: Partial<ClientOptions> = {
      writeKey,
      endpoint: endpoint ?? new URL(src).origin,
      ...(tenant && { tenant }),
      ...(mode && { mode: mode as Mode }),
    };
    client.configure(options);
  }
} catch {
  // The page configures it by hand, or nothing is sent.
}
