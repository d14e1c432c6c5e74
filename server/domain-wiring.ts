/** The domains, opened in the order in which they know each other, and joined where they meet. */
import type { Clock } from '#base/clock';
import { addressBehind, readProxies } from '#base/forwarded-address';
import { KeyId, TenantId, Word } from '#base/ids';
import { Problem } from '#base/problem';
import {
  beginIntents,
  type Forgotten,
  type Journal,
  openRefusals,
  type RefusalLog,
  settleIntent,
} from '#core/audit';
import { type Keys, keysRotate, keysStatus, openKeys, recoveryKit } from '#core/keys';
import { type Actor, authorize, type Policies } from '#core/policy';
import { type Consent, consentRoutes, createConsent } from '#domains/consent';
import {
  admitKey,
  enrichmentRoutes,
  INGEST_OPERATIONS,
  type Ingest,
  keyInHeader,
  kindOf,
  openIngest,
  retryStuck,
  stuckUnits,
  type WriteKey,
} from '#domains/ingest';
import type { Retention } from '#domains/retention';
import { type ErasureDeps, type Hidden, openHidden, type Rights } from '#domains/rights';
import { logThrown } from '#platform/database';
import { openPurposeReader, type PurposeReader } from '#platform/events';
import { openLocation } from '#platform/location';
import type { Log } from '#platform/log';
import type { Config } from './config.ts';
import type { DomainRoutes } from './edges/http/index.ts';
import {
  changedByOperator,
  eventRoutes,
  inboxRoutes,
  operatorRoutes,
  publicKeyRoutes,
  writeKeyRoutes,
} from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';
import { refusalOf } from './refusals.ts';
import { retaining, wireRetention } from './retention-wiring.ts';
import { purgeMinor, wireRights } from './rights-wiring.ts';
import { recordApplied } from './tenants.ts';

const OPERATOR: Actor = { kind: 'operator', id: KeyId('operator') };

type Given = Foundation & {
  policies: Policies;
  clock: Clock;
  log: Log;
  config: Config;
  afterStep?: ErasureDeps['afterStep'];
  /** What is sent with these is counted apart. */
  verificationKeys: ReadonlySet<string>;
  journal: Journal;
  /** What the journal held at this start. */
  journalled: readonly Forgotten[];
};

export type Domains = {
  ingest: Ingest;
  keys: Keys;
  refusals: RefusalLog;
  rights: Rights;
  retention: Retention;
  routes: DomainRoutes[];
};

/** Opens keys, consent, ingest and rights; what they hold is given back through `stack`. */
export async function wireDomains(stack: AsyncDisposableStack, given: Given): Promise<Domains> {
  const { db, events, keeper, policies, clock, log, config, journal } = given;
  const retention = await wireRetention(stack, given);
  const keys = openKeys({
    keeper,
    clock,
    retainMs: (tenant, type) => {
      const inForce = policies.find(tenant);
      return (inForce && retention.limitsOf(inForce, type)?.totalMs) ?? undefined;
    },
  });
  stack.defer(() => keys.close());
  // The keeper waits for it: no server takes anything in for a service whose keys go.
  keys.onDestroyed(({ tenant, all }) => (all ? policies.refresh(TenantId(tenant)) : undefined));
  for (const tenant of policies.tenants()) await keys.prepare(tenant);

  const consent = stack.adopt(
    await createConsent({ db, policies, journal, clock, log, keys }),
    (open) => open.close(),
  );
  const refusals = stack.adopt(openRefusals(db, clock), (open) => open.close());
  const hidden = await openHidden(db);
  let purge: ReturnType<typeof purgeMinor> | undefined;
  const ingest = stack.adopt(
    await openIngest({
      db,
      events,
      policies,
      log,
      keys,
      consent,
      hidden,
      reportMinor: (tenant, handle) => {
        purge?.(tenant, handle).catch((error: unknown) => {
          logThrown(log, Word('rights.purge-minor'), error);
        });
      },
      limitsOf: (inForce, dataType) => retention.limitsOf(inForce, dataType),
      now: () => clock.now(),
      ...(config.trustedProxies && {
        addressOf: addressBehind(readProxies(config.trustedProxies)),
      }),
      isCountedApart: (key) => given.verificationKeys.has(key),
      location: await openLocation({ file: config.locationFile }),
      recordRefusal: (problem, by) => {
        const refusal = refusalOf(policies, problem, { ...by, action: 'event.ingest' });
        return refusal && refusals.record(refusal);
      },
    }),
    (open) => open.close(),
  );
  retention.onChange((tenant) => void ingest.refresh(tenant).catch(() => undefined));
  const wired = await wireRights({ ...given, keys, hidden, consent, ingest, refusals });
  const { rights } = wired;
  stack.defer(() => rights.close());
  purge = purgeMinor(rights, policies);
  const reader = stack.adopt(openPurposeReader(given.clickhouseUrl), (open) => open.close());
  const parts = { consent, hidden, ingest, reader, refusals };
  const people = { hidden, agreed: consent.agreed };
  const kept = retaining({ retention, policies, people });
  const routes = [...routesOf(given, parts), wired.routes, kept];
  return { ingest, keys, refusals, rights, retention, routes };
}

type Parts = {
  consent: Consent;
  hidden: Hidden;
  ingest: Ingest;
  reader: PurposeReader;
  refusals: RefusalLog;
};

/** Who asks about consent, by the write key and the page's origin; a refusal is on record first. */
const callerBy =
  (
    ingest: Ingest,
    policies: Policies,
    refusals: RefusalLog,
  ): Parameters<typeof consentRoutes>[0]['authenticate'] =>
  async (headers, tenant, action) => {
    let key: WriteKey | undefined;
    try {
      key = await ingest.keys.check(keyInHeader(headers.get('authorization') ?? undefined));
      admitKey(key, { scope: 'consent', tenant, origin: headers.get('origin') ?? undefined });
    } catch (thrown) {
      const refusal =
        thrown instanceof Problem && refusalOf(policies, thrown, { key, tenant, action });
      if (refusal) await refusals.record(refusal);
      throw thrown;
    }
    const actor = { kind: 'write-key', id: key.id, tenant: key.tenant } as const;
    return { actor, isPublic: kindOf(key) === 'browser' };
  };

function routesOf(
  { db, events, keeper, signer, policies, clock, log }: Given,
  { consent, hidden, ingest, reader, refusals }: Parts,
): DomainRoutes[] {
  const operator = operatorRoutes({
    db,
    events,
    policies,
    clock,
    log,
    recordApplied,
    keys: {
      status: () => keysStatus(keeper, clock.now()),
      rotate: (actor) =>
        keysRotate({
          keeper,
          db,
          now: clock.now(),
          permits: policies
            .tenants()
            .map((tenant) => authorize(policies.inForce(tenant), actor, 'key.rotate')),
        }),
      async recoveryKit(actor, parts) {
        const now = clock.now();
        const permits = policies
          .tenants()
          .map((tenant) => authorize(policies.inForce(tenant), actor, 'key.create'));
        const intents = await beginIntents(db, permits, { event: 'recovery-kit.issued', now });
        const made = await recoveryKit(keeper, now, parts);
        for (const { permit, intent } of intents)
          await settleIntent(db, permit, { intent, done: true, now });
        return made;
      },
    },
  });
  const consents = consentRoutes({
    consent,
    policies,
    refusals,
    regionOf: (request, named) => ingest.countryOf(request, named),
    allowsOrigin: (origin, tenant) => ingest.keys.allowsOrigin(origin, tenant),
    authenticate: callerBy(ingest, policies, refusals),
  });
  const enrichments = changedByOperator(
    'enrichments',
    '/v1/t/:tenant/enrichments/:name',
    enrichmentRoutes({
      db,
      policies,
      clock,
      authenticate: () => OPERATOR,
      refresh: (tenant) => ingest.refresh(tenant),
    }),
  );
  const consenting = { name: 'consent', routes: consents, operations: INGEST_OPERATIONS };
  const inbox = inboxRoutes({
    list: () => stuckUnits({ db }),
    retry: (actor, id) => retryStuck({ db, events, policies, now: () => clock.now() }, actor, id),
  });
  const reading = eventRoutes({ db, policies, clock, hidden, reader, agreed: consent.agreed });
  const writeKeys = writeKeyRoutes({ db, policies, clock });
  const publicKeys = publicKeyRoutes(signer);
  return [operator, inbox, consenting, enrichments, reading, writeKeys, publicKeys];
}
