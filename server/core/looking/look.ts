import type { Policy } from '@troth/policy-language';
import type postgres from 'postgres';
import type { TenantId } from '#base/ids';
import type { Keys } from '#core/keys';
import type { Keeper } from '#platform/keeper';

/** A request as a stranger makes it: over a socket, to the address that the server listens on. */
export type Ask = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | string | Uint8Array;
};
export type Told = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; `undefined` where it is none. */
  readonly json: unknown;
};

/** Somebody who does not exist. Their handles are random, as anybody's are. */
export type Canary = {
  readonly anonymousId: string;
  readonly userId: string;
  /** 20 random letters that occur nowhere else; put it into values and look for it later. */
  readonly marker: string;
};

/** A row of an event table as the engine holds it, under its own column names. */
export type StoredRow = Readonly<Record<string, unknown>> & {
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly received_at: string;
  /** Hexadecimal digits. */
  readonly sealed: string;
};

/** One request that a page made, and how it was answered: with status 0 until it is. */
export type PageRequest = {
  readonly url: string;
  readonly method: string;
  /** Parsed; `undefined` where there was none. */
  readonly body: unknown;
  readonly status: number;
  readonly json: unknown;
  /** How many cookies the answer asked the browser to keep. */
  readonly cookies: number;
};

export type PageOptions = {
  /** A file below `/sdk/`. */
  readonly file: string;
  /** The page's own origin. Default: `https://canary.example`. */
  readonly site?: string;
  /** The `data-` attributes of the script tag, besides the key. */
  readonly dataset?: Readonly<Record<string, string>>;
  /** What the site's storage holds; another site has another. */
  readonly stored?: Map<string, string>;
  readonly userAgent?: string;
  /** Further members of `navigator`, as a signal of privacy. */
  readonly navigator?: Readonly<Record<string, unknown>>;
  /** How far the page's clock is ahead. */
  readonly laterMs?: number;
};

/** A page that loaded a client library as the server hands it out. */
export type Page = {
  /** The one global that the library made, and its name. */
  readonly client: Readonly<Record<string, (...given: unknown[]) => unknown>>;
  readonly name: string;
  readonly source: string;
  readonly requests: readonly PageRequest[];
  /** All that was reached for, as `navigator.userAgent` or `window.screen`. */
  readonly touched: ReadonlySet<string>;
  readonly stored: ReadonlyMap<string, string>;
  /** Runs a script of the page; returns its last value. */
  run(script: string): unknown;
};

export type Canaries = {
  /** A new person. Whatever was sent for them is removed after the proofs have run. */
  person(): Canary;
  /** The same, after they agreed to every purpose that may be asked for. */
  agreeing(): Promise<Canary>;
  /**
   * An event that lands in a declared type, with a value in each declared field: the marker in
   * every text, 7 in every number.
   *
   * @param more.event  one of the type's event names. Default: its first.
   * @param more.known  with a `userId`. Default: true.
   */
  event(
    dataType: string,
    person: Canary,
    more?: { readonly event?: string; readonly known?: boolean },
  ): Record<string, unknown>;
  /** The types whose rows come from events, by id. */
  readonly eventTypes: readonly string[];
  /**
   * Sends events with the verification key of the service, as a client does. Each gets a
   * `messageId` unless it has one.
   *
   * @returns the answer, and the ids of the messages in their order.
   */
  send(
    events: readonly object[],
    more?: Ask & { readonly path?: string },
  ): Promise<Told & { readonly messages: readonly string[] }>;
  /** An event that a proof sends in a way of its own: its rows are removed like the others. */
  note(messageId: string): Promise<void>;
  /**
   * Writes a row for each of these times, as if it had been received then: through the door that is
   * there for verification alone, and on record. The engine's own expiry passes such rows by.
   *
   * @param subject  whose they are. Default: nobody's.
   * @returns the number that each is stored under.
   */
  backdated(
    dataType: string,
    received: readonly Date[],
    tier?: 'active' | 'archive',
    country?: string,
    subject?: string,
  ): Promise<readonly string[]>;
  /**
   * The rows of one message in one type's table, once they are there; none after `waitMs`
   * (default 15,000).
   */
  stored(dataType: string, messageId: string, waitMs?: number): Promise<readonly StoredRow[]>;
  /**
   * The personal fields of a row, opened with the key that the keeper has for it.
   *
   * @returns `undefined` where the row seals nothing, or no key opens it.
   */
  opened(dataType: string, row: StoredRow): Promise<Readonly<Record<string, unknown>> | undefined>;
  /**
   * The opaque id that the keeper has for a handle; `undefined` where there is none. It is put on
   * record, so that what is kept under it goes after the proofs, also when its name leads nowhere.
   */
  subjectOf(kind: 'user' | 'anonymous', value: string): Promise<string | undefined>;
};

/** What a byte search saw, store by store. */
export type ByteLook = {
  readonly stores: readonly {
    readonly store: 'postgresql' | 'clickhouse' | 'objects' | 'logs' | 'elsewhere';
    readonly files: number;
    readonly bytes: number;
    /** False where a file could not be read, or nothing of the store is on this machine. */
    readonly whole: boolean;
    /** For each pattern, how often it occurs. */
    readonly counts: readonly number[];
  }[];
};

/**
 * What a proof may look with. Everything here looks from outside: over the wire, into the engines
 * with the owner's login, at the files. No part of it is code that a promise is kept by.
 */
export type Look = {
  readonly tenant: TenantId;
  /** The document in force, as the database has it. */
  readonly policy: Policy;
  readonly revision: number;
  readonly hash: string;
  /** Ends the proof: hand it to whatever waits. */
  readonly signal: AbortSignal;
  /** The time of PostgreSQL's own clock. */
  now(): Promise<Date>;
  /** Plain HTTP on loopback. @param path  absolute, on the server. */
  http(path: string, ask?: Ask): Promise<Told>;
  /** Opens a page in a browser's stead, with a browser's key of the service in its script tag. */
  page(options: PageOptions): Promise<Page>;
  /** The same as the operator. */
  operator(path: string, ask?: Ask): Promise<Told>;
  /** The listener without TLS, for this machine alone. */
  readonly plain: { readonly host: string; readonly port: number };
  /** The TLS listener, and the authority that its certificate is from. */
  readonly tls: { readonly host: string; readonly port: number; readonly authority: string };
  /** PostgreSQL as its owner. Row security is forced on the owner too: see `asServer`. */
  readonly sql: postgres.Sql;
  /**
   * A transaction under the login that the server works with, in the context of a service or in
   * none. It is undone at the end, whatever the work was.
   */
  asServer<T>(
    tenant: TenantId | undefined,
    work: (tx: postgres.TransactionSql) => Promise<T>,
  ): Promise<T>;
  /** ClickHouse; parameters are bound by the engine. */
  query<Row>(statement: string, params?: Record<string, unknown>): Promise<Row[]>;
  /**
   * Asks ClickHouse under the login that reads for one purpose.
   *
   * @param login  its number, as `troth.purpose_logins` has it.
   * @returns the rows, or the code of the engine's refusal.
   */
  queryAs<Row>(
    login: number,
    statement: string,
    params?: Record<string, unknown>,
  ): Promise<{ readonly rows: Row[] } | { readonly refused: number }>;
  readonly keys: Keys;
  readonly keeper: Keeper;
  readonly canaries: Canaries;
  /** A write key of the service with every scope, for requests of a proof's own. */
  readonly writeKey: string;
  /** A second one, for a proof that wears out what a key may do. */
  readonly spareKey: string;
  /** The other services, their verification keys, and canaries of theirs. */
  readonly others: readonly {
    readonly tenant: TenantId;
    readonly writeKey: string;
    readonly person: () => Canary;
  }[];
  readonly folders: {
    readonly data: string;
    readonly keyring: string;
    /** `undefined` where the keyring has one copy only. */
    readonly keyringCopy: string | undefined;
  };
  /**
   * Puts a standing job into the queue, as its schedule would, and waits until it has run from its
   * beginning.
   *
   * @throws Error when it has not been done within `waitMs` (default 30,000).
   */
  job(name: string, waitMs?: number): Promise<void>;
  /**
   * Byte search over all files of the data directory, in one pass for all who ask at the same time.
   * Whoever concludes from finding nothing first has to find a control canary in the same store.
   *
   * @param patterns  at least 6 bytes each.
   */
  bytes(patterns: readonly Uint8Array[]): Promise<ByteLook>;
  /**
   * Does what is dear once a round for this service, for all proofs that ask for it by this name:
   * an erasure, a sweep. It is handed a look of its own, which ends with the round.
   */
  once<T>(name: string, work: (look: Look) => Promise<T>): Promise<T>;
};
