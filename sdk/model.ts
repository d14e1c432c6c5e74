/** The words of the client: what a host page hands in, and what it may ask. */

/** How much a service may know about who somebody is; the server allows no more than its policy. */
export type Mode = 'anonymous' | 'pseudonymous' | 'identified';

export type Properties = { readonly [name: string]: unknown };

/** The five switches of the printed sample; a policy may know others. */
export type PrivacyPreferences = { readonly [purpose: string]: boolean };

/** All that is said about the machine: three words, none of them rare. */
export type System = { platform: string; browser: string; device_type: string };

export type Signals = { readonly gpc: boolean; readonly dnt: boolean };

/** What the server says about one purpose. `since` is an ISO 8601 time, or null where unknown. */
export type PurposeState = { granted: boolean; required: boolean; since: string | null };

export type ConsentStatus = {
  /** False until the server has answered: until then only essential events leave. */
  known: boolean;
  /** Every known purpose, by the name that the page uses for it, else by the policy's. */
  preferences: Record<string, boolean>;
  /** Every known purpose by the policy's name. */
  purposes: Record<string, PurposeState>;
  signals: Signals;
};

/** Why an event never reached the server. */
export type DropReason =
  | 'queue-full'
  | 'too-large'
  | 'not-sendable'
  | 'consent-unknown'
  | 'consent-refused'
  | 'signal'
  | 'mode'
  | 'refused-by-server'
  | 'gave-up'
  | 'shut-down';

export type Counts = {
  /** Events that wait, for consent or for their turn. */
  waiting: number;
  /** Events in requests that the server answered with success. */
  delivered: number;
  dropped: Partial<Record<DropReason, number>>;
};

/** One answer of the server, for a host that wants to watch. */
export type Answer = {
  call: 'batch' | 'consents';
  /** HTTP status; 0 when the server could not be reached. */
  status: number;
  events: number;
  /** The parsed body, or undefined where there is none. */
  body: unknown;
};

/** The part of `Storage` that is used. */
export type KeyValueStore = {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
};

/** The part of a `Response` that is used. */
export type ResponseLike = {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
};

export type RequestLike = {
  method: string;
  headers: Record<string, string>;
  body?: string;
  keepalive?: boolean;
  credentials: 'omit';
  redirect: 'error';
  referrerPolicy: 'no-referrer';
  cache: 'no-store';
  signal?: AbortSignal;
};

export type FetchLike = (url: string, request: RequestLike) => Promise<ResponseLike>;

export type ClientOptions = {
  /** Origin of the server, such as https://data.example.com. No other address is ever asked. */
  endpoint: string;
  /** Public by nature: it may write events and consents of one tenant, and read nothing else. */
  writeKey: string;
  tenant: string;
  /** The most that this page will say about who somebody is. Default: anonymous. */
  mode?: Mode;
  /** Who is here, where the page knows it from the start; heeded as `identify` is. */
  userId?: string;
  /**
   * Events without which the service does not work, by name (`page_view`), by kind (`type:page`),
   * or `*` for every tracked event. Only these leave before consent is known. Default: none.
   */
  essential?: readonly string[];
  /**
   * Which purpose an event serves, by the same names. It leaves only while that purpose is granted
   * or required; `type:identify` is asked in identified mode only. An event without a purpose
   * leaves once consent is known, and the server decides.
   */
  purposes?: Readonly<Record<string, string>>;
  /** What happens to an event that is not essential before consent is known. Default: hold. */
  whileUnknown?: 'hold' | 'drop';
  /** The notice that people saw when they decided; written on their receipts. */
  notice?: { version: string; language: string };
  /** Where the id is kept; `memory` keeps nothing. Default: localStorage where there is one. */
  storage?: KeyValueStore | 'memory';
  /** What to say about the machine, where the page knows better (a server, a native shell). */
  system?: Partial<System>;
  /** Events that may wait; beyond it the oldest goes. Default 500. */
  queueEvents?: number;
  /** Events in one request. Default 50. */
  batchEvents?: number;
  /** How long a request waits for more events, in milliseconds. Default 2,000. */
  batchMs?: number;
  /** First and longest pause before a retry, in milliseconds. Default 1,000 and 60,000. */
  retryMs?: readonly [first: number, longest: number];
  /** Tries of one request before its events are given up. Default 10. */
  tries?: number;
  /** How long one request may take, in milliseconds. Default 15,000. */
  timeoutMs?: number;
  fetch?: FetchLike;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Uniform in [0, 1): spreads the retries of many clients. */
  random?: () => number;
  onAnswer?: (answer: Answer) => void;
};

/** Options of one event. */
export type EventOptions = { purpose?: string; essential?: boolean };

/** Every call is safe to make at any time, and none ever throws into the page. */
export type Client = {
  track(event: string, properties?: Properties, options?: EventOptions): void;
  page(name?: string, properties?: Properties, options?: EventOptions): void;
  screen(name?: string, properties?: Properties, options?: EventOptions): void;
  /** Ties what follows to a person; does nothing in anonymous mode. */
  identify(userId: string, traits?: Properties): void;
  group(groupId: string, traits?: Properties): void;
  alias(userId: string, previousId?: string): void;
  setPrivacyPreferences(preferences: PrivacyPreferences): void;
  getConsentStatus(): ConsentStatus;
  updateConsent(purpose: string, granted: boolean): void;
  /** Withdraws every consent. What waits for one is forgotten at once. */
  withdrawConsent(): void;
  /** Forgets who this is and what they chose: the next event comes from somebody new. */
  reset(): void;
  /** Tries once to deliver everything that may leave; true when nothing of it is left. */
  flush(): Promise<boolean>;
  /** Delivers for at most so many milliseconds (default 5,000), then stops for good. */
  shutdown(timeoutMs?: number): Promise<boolean>;
  counts(): Counts;
};
