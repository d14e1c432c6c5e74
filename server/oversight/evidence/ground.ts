import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { systemClock } from '#base/clock';
import { type Keys, openKeys } from '#core/keys';
import type { ByteLook } from '#core/looking';
import { openPolicies, type PolicyInForce } from '#core/policy';
import { connect, type Database, openDatabase } from '#platform/database';
import { type Events, openEvents, openPurposeReader, type PurposeReader } from '#platform/events';
import { type Keeper, openKeeper } from '#platform/keeper';
import { silentLog } from '#platform/log';
import { openByteSearch } from './byte-search.ts';
import { type People, peopleFrom, SEED_BYTES } from './canary-people.ts';
import { noteSeed } from './canary-store.ts';
import type { Outlook } from './outlook.ts';
import { type ReadinessWatch, watchReadiness } from './readiness-watch.ts';

/** What all proofs of one run share. */
export type Ground = {
  readonly outlook: Outlook;
  readonly sql: postgres.Sql;
  readonly login: Database;
  readonly events: Events;
  readonly reader: Pick<PurposeReader, 'query'>;
  readonly keys: Keys;
  readonly keeper: Keeper;
  readonly services: readonly PolicyInForce[];
  readonly bytes: (patterns: readonly Uint8Array[]) => Promise<ByteLook>;
  /** The canaries of a service. */
  readonly people: (tenant: PolicyInForce['tenant']) => People;
  /** Says that no canary is sent any more. */
  readonly release: () => Promise<void>;
  readonly readiness: ReadinessWatch;
  /** Does a piece of work once, and hands its result to all who ask for it by this name. */
  readonly once: <T>(name: string, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
};

/** Opens everything that proofs look with; each connection is the prover's own. */
export async function openGround(outlook: Outlook): Promise<Ground & { close(): Promise<void> }> {
  const stack = new AsyncDisposableStack();
  try {
    const url = outlook.postgresUrl;
    const opening = await openDatabase({ url, log: silentLog, connectionsMax: 4 });
    const db = stack.adopt(opening, (open) => open.close());
    const events = stack.adopt(openEvents(outlook.clickhouseUrl), (open) => open.close());
    const reader = stack.adopt(openPurposeReader(outlook.clickhouseUrl), (open) => open.close());
    const policies = await openPolicies(db, { log: silentLog });
    stack.defer(() => policies.close());
    const services = policies.tenants().map((tenant) => policies.inForce(tenant));
    const keeper = openKeeper(outlook.keeperSocket);
    const keys = openKeys({ keeper, clock: systemClock });
    stack.defer(() => keys.close());
    // Of these people others only learn that they are in use, and for as long as this is open.
    const session = connect(url, { max: 1, max_lifetime: null, idle_timeout: 0 });
    stack.defer(() => session.end({ timeout: 1 }));
    const people = new Map<string, ReturnType<typeof peopleFrom>>();
    for (const { tenant } of services) {
      await keys.prepare(tenant);
      const seed = randomBytes(SEED_BYTES);
      await noteSeed(session, tenant, seed);
      people.set(tenant, peopleFrom(seed));
    }
    const whole = new AbortController();
    stack.defer(() => whole.abort());
    const readiness = stack.adopt(watchReadiness(outlook.url), (watch) => watch.close());
    const close = stack.move();
    return {
      outlook,
      events,
      reader,
      keys,
      keeper,
      readiness,
      services,
      sql: db.admin,
      login: db,
      bytes: openByteSearch(outlook.dataDir),
      people(tenant) {
        const theirs = people.get(tenant);
        if (!theirs) throw new RangeError('no such service is in force');
        return theirs;
      },
      release: () => session.end({ timeout: 1 }),
      once: onceEach(whole.signal),
      close: () => close.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Remembers each piece of work by its name; what failed has failed for all who ask. */
function onceEach(signal: AbortSignal): Ground['once'] {
  const done = new Map<string, Promise<unknown>>();
  return <T>(name: string, work: (signal: AbortSignal) => Promise<T>) => {
    const known = done.get(name) as Promise<T> | undefined;
    if (known) return known;
    const made = work(signal);
    done.set(name, made);
    made.catch(() => undefined);
    return made;
  };
}
