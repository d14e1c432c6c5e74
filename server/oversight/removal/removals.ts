import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock';
import { KeyId, type TenantId } from '#base/ids';
import {
  beginIntents,
  type Forgotten,
  INSTALLATION,
  type Journal,
  openIntents,
  settleIntent,
} from '#core/audit';
import { destroyTenantKeys, tenantCensus } from '#core/keys';
import { type Actor, authorize, endPolicy, type Permit, type Policies } from '#core/policy';
import {
  dropTenant,
  type Held,
  markRemoved,
  objectPrefixOf,
  tenancyProblem,
  tenantHoldings,
} from '#core/tenancy';
import { endLayouts, revokeWriteKeys } from '#domains/ingest';
import type { Blobs } from '#platform/blobs';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import { dropJobsNaming } from '#platform/jobs';
import type { Keeper } from '#platform/keeper';
import type { Log } from '#platform/log';
import { removalProblem } from './errors.ts';
import type { Outlook, Removal, Step } from './model.ts';
import * as store from './store.ts';

export type RemovalDeps = {
  readonly db: Database;
  readonly events: Events;
  readonly keeper: Keeper;
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  /** Of a server that serves; absent at its start, when nothing of a service can be under way. */
  readonly serving?: {
    readonly policies: Policies;
    /** Resolves when nothing of the service waits for the event store. */
    readonly endInbox: (tenant: TenantId) => Promise<void>;
  };
  /** Of tests that end the process in the middle. */
  readonly afterStep?: ((step: Step) => Promise<void> | void) | undefined;
};

const EVENT = 'service.removed';
const START: Actor = { kind: 'system', id: KeyId('start') };
const digestOf = (id: string) => createHash('sha256').update(id).digest('hex');

/** In the service's own log, and in that of the installation, which goes on. */
function permitsOf({ tenant, revision, actor }: Pick<Removal, 'tenant' | 'revision' | 'actor'>) {
  const own = authorize({ tenant, revision }, actor, 'service.remove');
  return [own, authorize({ tenant: INSTALLATION, revision: 0 }, actor, 'service.remove')] as const;
}

async function countObjects({ blobs }: RemovalDeps, tenant: TenantId): Promise<Held> {
  let rows = 0;
  for await (const _ of blobs.list(objectPrefixOf(tenant))) rows++;
  return { store: 'objects', place: objectPrefixOf(tenant), rows };
}

/**
 * What a removal would take, counted where it is.
 *
 * @throws Problem tenant-unknown, forbidden.
 */
export async function outlookOn(
  deps: RemovalDeps & Required<Pick<RemovalDeps, 'serving'>>,
  actor: Actor,
  tenant: TenantId,
): Promise<Outlook> {
  const { db, keeper, clock, serving } = deps;
  const { revision } = serving.policies.inForce(tenant);
  permitsOf({ tenant, revision, actor });
  const { lost, stays } = await store.countShared(db.admin, tenant);
  const census = await tenantCensus(keeper, tenant);
  const keyring = Object.entries(census).map(([place, rows]) => ({
    store: 'keyring',
    place,
    rows,
  }));
  const all = [
    ...keyring,
    ...(await tenantHoldings(deps, tenant, clock.now())),
    ...lost,
    await countObjects(deps, tenant),
  ];
  const open = await store.countOpen(db.admin, tenant);
  const isSome = ({ rows }: Held) => rows > 0;
  return { tenant, revision, ...open, lost: all.filter(isSome), stays: stays.filter(isSome) };
}

/** The removal, the end of the policy and of the keys, and both intents: all, or nothing. */
async function record(deps: RemovalDeps, removal: Removal): Promise<void> {
  const { db } = deps;
  const { tenant, lost, requestedAt: now } = removal;
  await db.admin.begin(async (tx) => {
    const ended = await endPolicy(tx, tenant);
    if (ended !== removal.revision) {
      throw tenancyProblem('tenant-unknown', 'another revision came into force just now');
    }
    const { holds } = await store.countOpen(tx, tenant);
    if (holds > 0) throw removalProblem('removal-held', `${holds} stand: lift them first`);
    await store.insertRemoval(tx, removal);
    await markRemoved(tx, tenant, now);
    const permits = permitsOf(removal);
    await revokeWriteKeys(tx, permits[0], now);
    const sum = (of: string) =>
      lost.filter((held) => held.store === of).reduce((all, { rows }) => all + rows, 0);
    const people = lost.find(({ store: of, place }) => of === 'keyring' && place === 'people');
    const fields = { service: tenant, people: people?.rows ?? 0, events: sum('clickhouse') };
    await beginIntents({ sql: tx }, permits, { event: EVENT, fields, now });
  });
}

/** Everything of the service outside of the shared tables and the keyring. */
async function drop(deps: RemovalDeps, tenant: TenantId): Promise<void> {
  const { db, blobs } = deps;
  await dropTenant(deps, tenant);
  for await (const key of blobs.list(objectPrefixOf(tenant))) await blobs.remove(key);
  await dropJobsNaming(db, [`"tenant":"${tenant}"`, `"tenant": "${tenant}"`]);
}

/** The last rows, and the outcome in both logs: then the service's own log is closed. */
async function close(
  { db, clock }: RemovalDeps,
  removal: Removal,
  permits: readonly Permit<'service.remove'>[],
): Promise<void> {
  const { id, tenant } = removal;
  const now = clock.now();
  await db.admin.begin(async (tx) => {
    await store.deleteShared(tx, tenant);
    if (!(await store.finishRemoval(tx, id, now))) return;
    for (const permit of permits) {
      const open = await openIntents(db, permit.tenant);
      const mine = open.filter(
        ({ event, fields }) => event === EVENT && fields['service'] === tenant,
      );
      for (const { intent } of mine) {
        await settleIntent({ sql: tx }, permit, { intent, done: true, now });
      }
    }
  });
}

/** Walks a recorded removal to its end. Every step may be repeated. */
export async function finish(deps: RemovalDeps, removal: Removal): Promise<void> {
  const { db, journal, keeper, serving, log, clock, afterStep } = deps;
  const { tenant, digest } = removal;
  const began = performance.now();
  const permits = permitsOf(removal);
  await journal.append([{ kind: EVENT, tenant, at: clock.now(), digest }]);
  await afterStep?.('journalled');
  await serving?.policies.refresh(tenant);
  await destroyTenantKeys(keeper, permits[0]);
  await afterStep?.('shredded');
  if (serving) await serving.endInbox(tenant);
  else await endLayouts(db.sql, tenant);
  await afterStep?.('emptied');
  await drop(deps, tenant);
  await afterStep?.('dropped');
  // Once more: a request that was under way may have had a key made.
  await destroyTenantKeys(keeper, permits[0]);
  await close(deps, removal, permits);
  log('tenant.removed', { tenant, durationMs: Math.round(performance.now() - began) });
}

/**
 * Takes a service out, for good, and returns when nothing of it is left but the record.
 *
 * @param confirm  the service's name once more.
 * @throws Problem removal-not-confirmed, removal-held, tenant-unknown, forbidden,
 *         audit-log-unwritable, audit-log-damaged: nothing was changed. Problem
 *         keeper-unavailable, keyring-copy-missing, journal-not-durable, ingest-busy,
 *         events-unavailable: it is begun, and goes on when it is asked for again, or at the next
 *         start.
 */
export async function removeTenant(
  deps: RemovalDeps & Required<Pick<RemovalDeps, 'serving'>>,
  { actor, tenant, confirm }: { actor: Actor; tenant: TenantId; confirm: string },
): Promise<Removal> {
  if (confirm !== tenant) {
    throw removalProblem('removal-not-confirmed', 'what you typed is another name');
  }
  const begun = (await store.readRemovals(deps.db.sql)).find(
    (one) => one.tenant === tenant && one.finishedAt === null,
  );
  if (begun) {
    await finish(deps, begun);
    return { ...begun, finishedAt: deps.clock.now() };
  }
  const { revision, lost } = await outlookOn(deps, actor, tenant);
  const id = store.newId();
  const removal = {
    id,
    tenant,
    revision,
    actor,
    lost,
    digest: digestOf(id),
    requestedAt: deps.clock.now(),
    finishedAt: null,
  };
  await record(deps, removal);
  await deps.afterStep?.('recorded');
  await finish(deps, removal);
  return { ...removal, finishedAt: deps.clock.now() };
}

/** A database that was restored has forgotten which services were taken out: it is told again. */
async function replay(deps: RemovalDeps, entries: readonly Forgotten[]): Promise<void> {
  const { db, clock } = deps;
  const known = new Set((await store.readRemovals(db.sql)).map(({ digest }) => digest));
  for (const { kind, tenant, digest, at } of entries) {
    if (kind !== EVENT || !digest || known.has(digest)) continue;
    known.add(digest);
    const isThere = await store.isThere(db.sql, tenant);
    const removal = { id: store.newId(), tenant, digest, actor: START, requestedAt: at, lost: [] };
    await db.admin.begin(async (tx) => {
      const revision = (isThere ? await endPolicy(tx, tenant) : undefined) ?? 0;
      const finishedAt = isThere ? null : clock.now();
      await store.insertRemoval(tx, { ...removal, revision, finishedAt });
      if (!isThere) return;
      await markRemoved(tx, tenant, clock.now());
      const permits = permitsOf({ tenant, revision, actor: START });
      const fields = { service: tenant, replayed: true };
      await beginIntents({ sql: tx }, permits, { event: EVENT, fields, now: clock.now() });
    });
  }
}

/**
 * Finishes what a crash cut off, and removes again what a restore brought back. At start, before a
 * policy is applied.
 *
 * @param entries  the forget journal.
 * @returns the services whose removal could not be finished: they are applied by nobody.
 */
export async function finishRemovals(
  deps: RemovalDeps,
  entries: readonly Forgotten[],
): Promise<TenantId[]> {
  await replay(deps, entries);
  const waiting: TenantId[] = [];
  for (const removal of await store.readRemovals(deps.db.sql)) {
    if (removal.finishedAt !== null) continue;
    try {
      await finish(deps, removal);
    } catch {
      // What it waits for (the second copy of the keyring, a disk) must not keep others down.
      waiting.push(removal.tenant);
    }
  }
  return waiting;
}
