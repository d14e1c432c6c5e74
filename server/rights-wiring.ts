/** Erasures, joined to what they reach: keys, journal, engines, the disk. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { Word } from '#base/ids';
import { Problem } from '#base/problem';
import type { Forgotten, Journal, RefusalLog } from '#core/audit';
import type { Keys, Signer } from '#core/keys';
import { type Actor, authorize, type Policies } from '#core/policy';
import { type Consent, consentDomain } from '#domains/consent';
import {
  admitKey,
  type Ingest,
  ingestProblem,
  keyInHeader,
  kindOf,
  type WriteKey,
} from '#domains/ingest';
import {
  type ErasureDeps,
  eventsStore,
  type Hidden,
  jobsStore,
  openRights,
  type Rights,
  rightsDomain,
  rightsRoutes,
  tablesStore,
} from '#domains/rights';
import type { Log } from '#platform/log';
import type { Config } from './config.ts';
import { type DomainRoutes, operatorAsking } from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';
import { refusalOf } from './refusals.ts';
import { STARTER } from './tenants.ts';

/** Every domain that may hold rows of a person. */
const DOMAINS = [consentDomain, rightsDomain];

type Given = Foundation & {
  readonly policies: Policies;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Config;
  readonly keys: Keys;
  readonly signer: Signer;
  readonly journal: Journal;
  /** What the journal held at this start. */
  readonly journalled: readonly Forgotten[];
  readonly hidden: Hidden;
  readonly consent: Consent;
  readonly ingest: Ingest;
  readonly refusals: RefusalLog;
  readonly afterStep?: ErasureDeps['afterStep'];
};

/** Engines that run elsewhere keep their files elsewhere. */
const elsewhere = ({ postgresUrl, clickhouseUrl }: Config) => [
  ...(postgresUrl ? ['postgresql', 'postgresql-log'] : []),
  ...(clickhouseUrl ? ['clickhouse'] : []),
];

/**
 * Opens erasures, makes true what the forget journal says, and resolves when everybody who is to be
 * hidden is.
 */
export async function wireRights(given: Given): Promise<{ rights: Rights; routes: DomainRoutes }> {
  const { db, events, keys, policies, journal, clock, log, config, signer } = given;
  const { hidden, ingest, consent, journalled, afterStep } = given;
  const clickhouse = eventsStore(events);
  const rights = await openRights({
    db,
    keys,
    policies,
    journal,
    clock,
    log,
    signer,
    hidden,
    afterStep,
    events: clickhouse,
    stores: [
      ingest.erasure,
      clickhouse,
      tablesStore({ db, clock, domains: DOMAINS }),
      jobsStore(db),
    ],
    places: {
      dataDir: config.dataDir,
      keyringDirs: [config.keyringDir, ...(config.keyringCopyDir ? [config.keyringCopyDir] : [])],
      auditDirs: [config.auditDir],
      elsewhere: elsewhere(config),
    },
    plant(marker) {
      log('erasure.control', { marker: Word(marker) });
      // Beside the services' objects, which all have a prefix.
      const objects = join(config.dataDir, 'objects');
      for (const folder of [config.dataDir, ...(existsSync(objects) ? [objects] : [])]) {
        writeFileSync(join(folder, 'scan-control'), `${marker}\n`, { mode: 0o600 });
      }
    },
  });
  await rights.replay({
    entries: journalled,
    replayWithdrawals: (tenant, some) => consent.replay(tenant, some),
  });
  await rights.resume();
  return { rights, routes: routesOf(given, rights) };
}

function routesOf({ db, policies, clock, ingest, refusals }: Given, rights: Rights): DomainRoutes {
  const routes = rightsRoutes({
    rights,
    db,
    policies,
    clock,
    async authenticate(c, tenant): Promise<Actor> {
      const operator = operatorAsking(c);
      if (operator) return operator;
      let key: WriteKey | undefined;
      try {
        key = await ingest.keys.check(keyInHeader(c.req.header('authorization')));
        admitKey(key, { scope: 'erase', tenant, origin: c.req.header('origin') });
        if (kindOf(key) === 'server') return { kind: 'write-key', id: key.id, tenant: key.tenant };
        throw ingestProblem('ingest-key-not-allowed', 'the key of a page may not ask for erasures');
      } catch (thrown) {
        const by = { key, tenant, action: 'subject.erase' as const };
        const refusal = thrown instanceof Problem && refusalOf(policies, thrown, by);
        if (refusal) await refusals.record(refusal);
        throw thrown;
      }
    },
  });
  return { name: 'rights', routes };
}

/** Under the policy's age, where it says `purge`: erased at once, without a way back. */
export function purgeMinor(rights: Rights, policies: Policies) {
  return (tenant: Parameters<Policies['inForce']>[0], handle: Parameters<Keys['whois']>[1]) => {
    const inForce = policies.inForce(tenant);
    authorize(inForce, STARTER, 'subject.erase');
    const wanted = { handle, reason: 'under-age', complete: true, confirm: true };
    return rights.request({ inForce, actor: STARTER }, wanted);
  };
}
