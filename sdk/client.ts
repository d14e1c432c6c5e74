/**
 * The client: turns calls of the page into events, asks consent for each of them at the moment at
 * which it would leave, and delivers what may leave.
 */
import { ASK, Consent, merge } from './consent.ts';
import {
  beacon,
  canOutlive,
  pageFetch,
  randomId,
  readSignals,
  readSystem,
  whenHidden,
} from './host.ts';
import { Identity, type Kept } from './identity.ts';
import { Lane, type Step } from './lane.ts';
import type {
  Client,
  ClientOptions,
  ConsentStatus,
  Counts,
  DropReason,
  EventOptions,
  PrivacyPreferences,
  Properties,
  System,
} from './model.ts';
import { bytesOf, type Item, Queue } from './queue.ts';
import { call, type Outcome, PLAIN } from './wire.ts';

type Kind = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias';
type Draft = {
  kind: Kind;
  event?: string | undefined;
  properties?: Properties | undefined;
  ids?: { userId?: string; groupId?: string; previousId?: string };
  options?: EventOptions | undefined;
};

const NAMES_PERSON: ReadonlySet<Kind> = new Set<Kind>(['identify', 'group', 'alias']);

const text = (value: unknown) => typeof value === 'string' && value !== '';

/** An e-mail address, or a name with a space in it. The server looks closer. */
const saysWho = (id: string) => /[@\s]/.test(id);
const holdsAddress = (traits: Properties) => /[^\s"@]@[^\s"@]/.test(JSON.stringify(traits));

class Connection {
  readonly #options: ClientOptions;
  readonly #now: () => number;
  readonly #identity: Identity;
  readonly #consent: Consent;
  readonly #queue: Queue;
  readonly #events: Lane;
  readonly #consents: Lane;
  readonly #system: System;
  readonly #url: string;
  readonly #unhook: () => void;
  readonly #dropped: Counts['dropped'] = {};
  #flying: Item[] = [];
  #ready = 0;
  #delivered = 0;
  #open = true;

  constructor(options: ClientOptions) {
    const { now = Date.now, random = Math.random, retryMs = [1_000, 60_000] as const } = options;
    this.#options = options;
    this.#now = now;
    this.#url = `${options.endpoint.replace(/\/+$/, '')}/v1/t/${encodeURIComponent(options.tenant)}`;
    this.#system = { ...readSystem(), ...options.system };
    this.#identity = new Identity(options);
    this.#consent = new Consent(options);
    this.#queue = new Queue(options.queueEvents ?? 500, this.drop);
    const pauses = { now, random, retryMs };
    this.#events = new Lane({ ...pauses, step: (attempt) => this.#sendEvents(attempt) });
    this.#consents = new Lane({ ...pauses, step: () => this.#sendConsent() });
    this.#unhook = whenHidden(() => this.#leave());
    const { userId } = options;
    if (userId && this.#names(userId)) this.#identity.become(userId);
    this.#who();
  }

  drop = (reason: DropReason, events = 1) => {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + events;
  };

  add({ kind, event, properties, ids, options = {} }: Draft): void {
    if (!this.#open) return this.drop('shut-down');
    const { mode = 'anonymous', whileUnknown } = this.#options;
    const who = this.#who();
    const purpose = options.purpose ?? this.#purposeOf(kind, event);
    const essential = options.essential ?? this.#isEssential(kind, event);
    const userId = ids?.userId ?? (this.#mayName() ? who.user : undefined);
    // Whoever is named may have decided before, under the id of this browser.
    const consent = mode !== 'anonymous' && userId ? { id: who.id } : undefined;
    const body = JSON.stringify({
      type: kind,
      messageId: randomId(),
      anonymousId: who.id,
      ...(mode !== 'anonymous' && { ...ids, userId }),
      event,
      properties: typeof properties === 'object' && properties ? properties : {},
      timestamp: new Date(this.#now()).toISOString(),
      context: { system: this.#system, consent },
    });
    const item = { text: body, bytes: bytesOf(body), id: who.id, purpose, essential };
    const verdict = this.#judge(item);
    if (verdict !== 'send' && verdict !== 'wait') return this.drop(verdict);
    if (verdict === 'wait' && whileUnknown === 'drop' && !this.#consent.known) {
      return this.drop('consent-unknown');
    }
    this.#queue.add(item);
    if (verdict === 'wait') return;
    this.#ready += 1;
    const { batchEvents = 50, batchMs = 2_000 } = this.#options;
    this.#events.wake(this.#ready >= batchEvents ? 0 : batchMs);
  }

  identify(userId: string, traits: Properties = {}): void {
    if (!text(userId)) return this.drop('not-sendable');
    if (!this.#names(userId, traits)) return this.drop('mode');
    this.#who();
    this.#identity.become(userId);
    this.add({ kind: 'identify', ids: { userId }, properties: traits });
  }

  group(groupId: string, traits?: Properties): void {
    if (!text(groupId)) return this.drop('not-sendable');
    if (!this.#names(groupId, traits)) return this.drop('mode');
    this.add({ kind: 'group', ids: { groupId }, properties: traits });
  }

  alias(userId: string, previousId = this.#who().user): void {
    if (!text(userId)) return this.drop('not-sendable');
    if (!this.#names(userId)) return this.drop('mode');
    if (!previousId || !this.#names(previousId)) return this.drop('not-sendable');
    this.#identity.become(userId);
    this.add({ kind: 'alias', ids: { userId, previousId } });
  }

  decide(make: (consent: Consent) => PrivacyPreferences): void {
    if (!this.#open) return;
    const { choices = {} } = this.#who();
    this.#identity.choose(merge(choices, make(this.#consent)));
    // A no counts at once: whatever waited for a yes is forgotten before anything else happens.
    this.#queue.take((item) => this.#judge(item), 0);
    this.#consents.wake(0);
  }

  status(): ConsentStatus {
    this.#who();
    const { known } = this.#consent;
    const preferences = this.#consent.preferences();
    return { known, preferences, purposes: this.#consent.purposes(), signals: readSignals() };
  }

  counts(): Counts {
    const waiting = this.#queue.length + this.#flying.length;
    return { waiting, delivered: this.#delivered, dropped: { ...this.#dropped } };
  }

  reset(): void {
    this.#identity.reset();
    this.#who();
  }

  async flush(): Promise<boolean> {
    this.#who();
    const heard = await this.#consents.run();
    return (await this.#events.run()) && heard;
  }

  async shutdown(timeoutMs = 5_000): Promise<boolean> {
    const end = Date.now() + timeoutMs;
    let clean = await within(this.flush(), timeoutMs);
    while (!clean && Date.now() < end) {
      const due = Math.max(this.#events.notBefore, this.#consents.notBefore) - this.#now();
      const pause = Math.min(Math.max(due, 50), end - Date.now());
      await new Promise((resolve) => setTimeout(resolve, pause));
      clean = await within(this.flush(), end - Date.now());
    }
    this.#open = false;
    this.#events.stop();
    this.#consents.stop();
    this.#unhook();
    return clean;
  }

  /** The ids of this moment; a new id starts closed again. */
  #who(): Kept {
    const who = this.#identity.current();
    if (this.#consent.follow(who) && this.#open) this.#consents.wake(0);
    return who;
  }

  /** Whether the page's mode has a place for this id, and for these traits. */
  #names(id: string, traits: Properties = {}): boolean {
    const { mode = 'anonymous' } = this.#options;
    if (mode === 'pseudonymous') return !saysWho(id) && !holdsAddress(traits);
    return mode === 'identified';
  }

  /** Before a person agreed to be named, events go without the name. */
  #mayName(): boolean {
    const { mode, purposes } = this.#options;
    const purpose = purposes?.['type:identify'];
    return mode === 'pseudonymous' || !purpose || this.#consent.isGranted(purpose);
  }

  #purposeOf(kind: Kind, event = ''): string | undefined {
    const { purposes = {}, mode } = this.#options;
    if (NAMES_PERSON.has(kind)) {
      return mode === 'identified' ? purposes['type:identify'] : undefined;
    }
    if (kind !== 'track') return purposes[`type:${kind}`];
    return purposes[event] ?? purposes['type:track'] ?? purposes['*'];
  }

  #isEssential(kind: Kind, event = ''): boolean {
    const { essential = [], purposes = {} } = this.#options;
    if (essential.includes(`type:${kind}`)) return true;
    if (kind !== 'track') return false;
    return essential.includes(event) || (essential.includes('*') && !purposes[event]);
  }

  #judge({ essential, purpose }: Pick<Item, 'essential' | 'purpose'>) {
    if (essential) return 'send';
    const { gpc, dnt } = readSignals();
    return this.#consent.judge(purpose, gpc || dnt);
  }

  #way() {
    const { fetch = pageFetch, writeKey, timeoutMs = 15_000 } = this.#options;
    return { fetch, writeKey, timeoutMs, now: this.#now };
  }

  #frame(items: readonly Item[], more: object = {}): string {
    const sentAt = new Date(this.#now()).toISOString();
    const context = { mode: this.#options.mode ?? 'anonymous', signals: readSignals() };
    const rest = JSON.stringify({ sentAt, context, ...more }).slice(1);
    return `{"batch":[${items.map((item) => item.text).join()}],${rest}`;
  }

  async #sendEvents(attempt: number): Promise<Step> {
    const { batchEvents = 50, tries = 10 } = this.#options;
    const items = this.#queue.take((item) => this.#judge(item), batchEvents);
    this.#ready = 0;
    if (items.length === 0) return 'idle';
    this.#flying = items;
    const sent = { url: `${this.#url}/batch`, method: 'POST', body: this.#frame(items) };
    const answer = await call({ ...sent, keepalive: canOutlive() }, this.#way());
    this.#flying = [];
    this.#watch('batch', answer, items.length);
    if (answer.result === 'accepted') this.#delivered += items.length;
    else if (answer.result === 'refused') this.drop('refused-by-server', items.length);
    else if (attempt % tries === 0) this.drop('gave-up', items.length);
    else this.#queue.putBack(items);
    return answer.result === 'retry' ? answer.retryAfterMs : 'done';
  }

  async #sendConsent(): Promise<Step> {
    const next = this.#consent.next();
    if (!next) return 'idle';
    const { id, method, path } = next;
    const body = next.body && { body: JSON.stringify(next.body), keepalive: canOutlive() };
    const answer = await call(
      { url: `${this.#url}/consents${path}`, method, ...body },
      this.#way(),
    );
    this.#watch('consents', answer, 0);
    if (answer.result === 'retry') return answer.retryAfterMs;
    this.#consent.answered(next, answer.result === 'accepted', answer.body);
    if (path !== ASK && !this.#consent.undelivered) this.#identity.heard(id);
    if (this.#open) this.#events.wake(0);
    return 'done';
  }

  #watch(which: 'batch' | 'consents', { status, body }: Outcome, events: number): void {
    try {
      this.#options.onAnswer?.({ call: which, status, events, body });
    } catch {
      // The watcher's mistake is not the page's.
    }
  }

  /**
   * The page goes away: what may leave and fits leaves in one request that outlives it. As text and
   * with the key inside, since a browser asks no permission for that first. `fetch` before the
   * beacon, because a beacon always carries cookies.
   */
  #leave(): void {
    const items = this.#queue.take((item) => this.#judge(item), 1_000);
    if (items.length === 0) return;
    const { fetch = pageFetch, writeKey } = this.#options;
    const url = `${this.#url}/batch`;
    const body = this.#frame(items, { writeKey });
    const headers = { 'content-type': 'text/plain;charset=UTF-8' };
    const settle = (taken: boolean) => {
      if (taken) this.#delivered += items.length;
      else this.#queue.putBack(items);
    };
    if (!canOutlive()) return settle(beacon(url, body));
    const request = { ...PLAIN, method: 'POST', headers, body, keepalive: true };
    fetch(url, request).then(
      ({ status }) => settle(status < 300),
      () => settle(false),
    );
  }
}

async function within(work: Promise<boolean>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, ms));
  });
  const clean = await Promise.race([work, late]);
  clearTimeout(timer);
  return clean;
}

/** How consent stands where nobody was asked yet. */
export const closed = (): ConsentStatus => {
  return { known: false, preferences: {}, purposes: {}, signals: readSignals() };
};

/**
 * Opens a client. It asks the server once how consent stands, and holds back what is not essential
 * until the answer is there.
 *
 * Never throws, and neither does any of its calls: with unusable options, or in a page that forbids
 * something, events are dropped and counted.
 */
export function createClient(options: ClientOptions): Client {
  let connection: Connection | undefined;
  try {
    const { endpoint, writeKey, tenant } = options;
    if (text(endpoint) && text(writeKey) && text(tenant)) connection = new Connection(options);
  } catch {
    // The counts below say that nothing is sent.
  }
  const lost: Counts = { waiting: 0, delivered: 0, dropped: {} };
  const safely = <T>(otherwise: T, work: (open: Connection) => T): T => {
    try {
      if (connection) return work(connection);
    } catch {
      connection?.drop('not-sendable');
      return otherwise;
    }
    lost.dropped['not-sendable'] = (lost.dropped['not-sendable'] ?? 0) + 1;
    return otherwise;
  };
  const quietly = (work: (open: Connection) => void) => safely(undefined, work);
  const surely = (work: (open: Connection) => Promise<boolean>) =>
    safely(Promise.resolve(false), work).catch(() => false);
  const named =
    (kind: 'track' | 'page' | 'screen'): Client['page'] =>
    (event, properties, given) =>
      quietly((open) => open.add({ kind, event, properties, options: given }));
  return {
    track: (event, properties, given) =>
      quietly((open) =>
        text(event)
          ? open.add({ kind: 'track', event, properties, options: given })
          : open.drop('not-sendable'),
      ),
    page: named('page'),
    screen: named('screen'),
    identify: (userId, traits) => quietly((open) => open.identify(userId, traits)),
    group: (groupId, traits) => quietly((open) => open.group(groupId, traits)),
    alias: (userId, previousId) => quietly((open) => open.alias(userId, previousId)),
    setPrivacyPreferences: (wanted) => quietly((open) => open.decide((c) => c.decide(wanted))),
    getConsentStatus: () => safely(closed(), (open) => open.status()),
    updateConsent: (purpose, granted) =>
      quietly((open) => open.decide((c) => c.update(purpose, granted))),
    withdrawConsent: () => quietly((open) => open.decide((c) => c.withdraw())),
    reset: () => quietly((open) => open.reset()),
    flush: () => surely((open) => open.flush()),
    shutdown: (timeoutMs) => surely((open) => open.shutdown(timeoutMs)),
    counts: () => (connection ? safely(lost, (open) => open.counts()) : lost),
  };
}
