import { type Client, type ClientOptions, createClient } from '../index.ts';
import { FakeServer } from './fake-server.ts';

export type Opened = { client: Client; server: FakeServer; clock: { now: number } };

/** A client on a fake server, at noon of a day whose clock the test turns. */
export function open(options: Partial<ClientOptions> = {}, server = new FakeServer()): Opened {
  const clock = { now: Date.parse('2026-03-02T12:00:00Z') };
  const client = createClient({
    endpoint: 'https://data.example.com/',
    writeKey: 'wk_test',
    tenant: 'loopkit',
    storage: 'memory',
    essential: ['page_view'],
    purposes: PURPOSES,
    fetch: server.fetch,
    now: () => clock.now,
    random: () => 0.5,
    ...options,
  });
  return { client, server, clock };
}

export const PURPOSES = { performance: 'performance-monitoring', error: 'error-tracking' };
