/**
 * Who sends what, and with which client: people of three services with the SDK, one client each, as
 * browsers would; two services and a few old integrations over plain HTTP.
 */
import {
  type Client,
  type ClientOptions,
  createClient,
  type Mode,
  presets,
  type System,
} from '../sdk/index.ts';
import { PlainSender } from './plain-sender.ts';
import type { Recorded } from './recording.ts';
import type { Tally, Tenant } from './tally.ts';

const EVENTS: Record<Tenant, Pick<ClientOptions, 'essential' | 'purposes'>> = {
  // All that operators' tools send is part of what they ordered: the policy requires it.
  clanker: { essential: ['*'] },
  loopkit: presets.loopkit,
  magenta: presets.magenta,
  // Only their settings pages speak through the SDK.
  conducktr: { purposes: { telemetry: 'usage-analytics' } },
  workorders: {},
};

const SYSTEMS: readonly System[] = [
  { platform: 'web', browser: 'Chrome', device_type: 'desktop' },
  { platform: 'web', browser: 'Safari', device_type: 'mobile' },
  { platform: 'web', browser: 'Firefox', device_type: 'desktop' },
  { platform: 'web', browser: 'Edge', device_type: 'desktop' },
  { platform: 'web', browser: 'Safari', device_type: 'tablet' },
];

/** Every fifth of LoopKit's people has an old page that posts without asking anybody. */
const OLD_PAGES = 5;

const numberOf = (person: string) => Number(/\d+$/.exec(person)?.[0] ?? 0);

export type Place = { url: string; writeKeys: Readonly<Record<string, string>> };

export class People {
  readonly #place: Place;
  readonly #tally: Tally;
  readonly #clients = new Map<string, { tenant: Tenant; client: Client }>();
  readonly #plain = new Map<string, PlainSender>();

  constructor(place: Place, tally: Tally) {
    this.#place = place;
    this.#tally = tally;
  }

  act(line: Recorded): void {
    const { tenant, person, call, event, properties } = line;
    if (call === 'track' || call === 'page' || call === 'identify') {
      this.#tally.of(tenant).recorded += 1;
    }
    if (isPlain(line)) {
      this.#sender(line).add(line);
      return;
    }
    const client = this.#client(tenant, person);
    if (call === 'consent') {
      for (const [purpose, granted] of Object.entries(properties)) {
        client.updateConsent(purpose, granted === true);
      }
    } else if (call === 'identify') this.#identify(client, person, properties);
    else if (call === 'page') client.page(event, properties);
    else client.track(event, properties);
  }

  /** Delivers what is left and stops; the counts are complete afterwards. */
  async leave(timeoutMs: number): Promise<void> {
    await Promise.all([
      ...[...this.#plain.values()].map((sender) => sender.stop()),
      ...[...this.#clients.values()].map(async ({ tenant, client }) => {
        await client.shutdown(timeoutMs);
        this.#tally.keptBack(tenant, client.counts());
      }),
    ]);
  }

  /** Half of those who give an address agree to be named first; the others never leave the page. */
  #identify(client: Client, person: string, traits: Recorded['properties']): void {
    const { email } = traits;
    if (typeof email !== 'string') return client.identify(`user_hashed_${person}`, traits);
    if (numberOf(person) % 8 === 0) client.updateConsent('identifiedAnalytics', true);
    client.identify(email, traits);
  }

  #client(tenant: Tenant, person: string): Client {
    const name = `${tenant} ${person}`;
    const known = this.#clients.get(name);
    if (known) return known.client;
    const client = createClient({
      ...EVENTS[tenant],
      endpoint: this.#place.url,
      writeKey: this.#place.writeKeys[tenant] ?? '',
      tenant,
      mode: modeOf(tenant, person),
      // An operator has signed in: what their tools send is theirs.
      ...(tenant !== 'loopkit' && tenant !== 'magenta' && { userId: person }),
      system: SYSTEMS[numberOf(person) % SYSTEMS.length] ?? {},
      storage: 'memory',
      batchMs: 500,
      onAnswer: (answer) => this.#tally.heard(tenant, answer),
    });
    this.#clients.set(name, { tenant, client });
    return client;
  }

  #sender({ tenant, signal, more }: Recorded): PlainSender {
    // LoopKit prints a call with a Bearer key; all else uses Segment's path and Basic.
    const printed = tenant === 'loopkit' && more?.['type'] === undefined;
    const name = `${tenant} ${signal} ${printed}`;
    const known = this.#plain.get(name);
    if (known) return known;
    const sender = new PlainSender({
      url: this.#place.url,
      writeKey: this.#place.writeKeys[tenant] ?? '',
      printed,
      signal,
      onAnswer: (answer) => this.#tally.heard(tenant, answer),
    });
    this.#plain.set(name, sender);
    return sender;
  }
}

/** Two services have integrations that never heard of the SDK; what people decide there, it tells. */
function isPlain({ tenant, person, call, signal, twice, more }: Recorded): boolean {
  if (call === 'consent') return false;
  if (tenant === 'conducktr' || tenant === 'workorders' || signal || twice || more) return true;
  return tenant === 'loopkit' && call === 'track' && numberOf(person) % OLD_PAGES === 0;
}

function modeOf(tenant: Tenant, person: string): Mode {
  if (tenant === 'magenta') return 'anonymous';
  if (tenant !== 'loopkit') return 'pseudonymous';
  const number = numberOf(person);
  if (number >= 24) return 'anonymous';
  return number % 4 === 0 ? 'identified' : 'pseudonymous';
}
