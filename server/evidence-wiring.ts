/** The evidence, wired: where the prover looks from, and the keys that it sends canaries with. */
import { join } from 'node:path';
import { controlCatalogue } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import { KeyId, type TenantId } from '#base/ids';
import { appendAudit } from '#core/audit';
import { authorize, type Policies } from '#core/policy';
import { issueWriteKey, revokeWriteKey } from '#domains/ingest';
import { type Channel, tellOperator } from '#oversight/alerts';
import {
  couldNotLook,
  dropVerificationKey,
  type Evidence,
  type Finding,
  noteVerificationKey,
  type Outlook,
  openEvidence,
  openPromises,
  openReports,
  proveInProcess,
  readLogged,
  readVerificationKeys,
  type ServicesInForce,
  type Unit,
  unitsOf,
  type Wanted,
} from '#oversight/evidence';
import type { Log } from '#platform/log';
import { BUILT_CONTROLS } from './built-controls.ts';
import type { Config } from './config.ts';
import {
  type DomainRoutes,
  evidenceRoutes,
  httpProblem,
  type Operator,
} from './edges/http/index.ts';
import type { Foundation } from './foundation.ts';
import { PROOFS } from './proofs.ts';
import { STARTER } from './tenants.ts';

const PROGRAM = join(import.meta.dirname, 'prover.ts');

/** A finding that so many rounds did not renew says nothing of today. */
const STALE_ROUNDS = 3;
const STALE_MS_MIN = 3_600_000;

export type EvidenceNeeds = Foundation & {
  readonly policies: Policies;
  readonly services: ServicesInForce;
  readonly clock: Clock;
  readonly log: Log;
  readonly operator: Operator;
  readonly channels: readonly Channel[];
  readonly config: Config;
  /** Filled with the keys that proofs send with, before one of them does. */
  readonly verificationKeys: Set<string>;
};

/** Where the server listens, once it does. */
export type Addresses = {
  readonly url: string;
  readonly secureUrl: string;
  /** PEM of the authority that its certificate is from. */
  readonly authority: string;
};

export type WiredEvidence = {
  readonly evidence: Evidence;
  readonly promises: ReturnType<typeof openPromises>;
  readonly routes: DomainRoutes;
  /** Lets the proofs begin: what they look at is there. */
  begin(addresses: Addresses): void;
};

/** Revokes the keys of earlier starts: their texts were in memory only. */
async function revokeEarlier({ db, policies, clock }: EvidenceNeeds): Promise<void> {
  for (const { keyId, tenant } of await readVerificationKeys(db.sql)) {
    const inForce = policies.find(tenant);
    if (inForce) {
      const permit = authorize(inForce, STARTER, 'write-key.revoke');
      await revokeWriteKey(db.sql, permit, KeyId(keyId), clock.now());
    }
    await dropVerificationKey(db.sql, keyId);
  }
}

/** Whatever a server's key may be for. */
const SCOPES = ['ingest', 'consent', 'erase'];

/** @param origins  for a page; without them it is a server's. */
async function issueKey(
  { db, policies, clock, verificationKeys }: EvidenceNeeds,
  tenant: TenantId,
  origins?: readonly string[],
): Promise<string> {
  const permit = authorize(policies.inForce(tenant), STARTER, 'write-key.issue');
  const now = clock.now();
  const scoped = origins ? { origins } : { scopes: SCOPES };
  return db.sql.begin(async (tx) => {
    const { id, text } = await issueWriteKey(tx, permit, { now, ...scoped });
    verificationKeys.add(id);
    await noteVerificationKey(tx, id, tenant);
    const act = { event: 'write-key.issued', fields: { key: id, verification: true } } as const;
    await appendAudit(Object.assign(tx, { now }), permit, act);
    return text;
  });
}

/** The keys that proofs send with: three for each service, issued when they are first needed. */
function keysOf(needs: EvidenceNeeds) {
  const writeKeys: Record<string, string> = {};
  const spareKeys: Record<string, string> = {};
  const pageKeys: Record<string, string> = {};
  needs.policies.onEnd((tenant) => {
    for (const keys of [writeKeys, spareKeys, pageKeys]) delete keys[tenant];
  });
  return {
    writeKeys,
    spareKeys,
    pageKeys,
    /** @throws Problem audit-log-unwritable, audit-log-damaged: the service has no whole set. */
    async ready(tenant: TenantId): Promise<void> {
      spareKeys[tenant] ??= await issueKey(needs, tenant);
      pageKeys[tenant] ??= await issueKey(needs, tenant, ['*']);
      // Last: the prover leaves out a service that has none of these.
      writeKeys[tenant] ??= await issueKey(needs, tenant);
    },
  };
}

const enter = async (operator: Operator) => operator.enter(await operator.newLink());

/** Runs the prover with a session of its own, which ends with the round. */
function runnerOf(needs: EvidenceNeeds, addresses: () => Addresses) {
  const { db, policies, operator, clickhouseUrl, keeperSocket, config } = needs;
  const { dataDir, keyringDir, keyringCopyDir } = config;
  const { ready, writeKeys, spareKeys, pageKeys } = keysOf(needs);
  return async function* run(wanted: Wanted, ending: AbortSignal): AsyncGenerator<Finding> {
    const folders = { dataDir, keyringDir, keyringCopyDir };
    const places = { ...addresses(), clickhouseUrl, keeperSocket, ...folders };
    const units: Unit[] = [];
    for (const tenant of policies.tenants()) {
      const theirs = unitsOf([policies.inForce(tenant)], PROOFS, wanted);
      try {
        await ready(tenant);
        units.push(...theirs);
      } catch (error) {
        // As with a damaged audit log: what cannot be looked at is a gap, and the others go on.
        for (const unit of theirs) yield couldNotLook(unit, error);
      }
    }
    if (units.length === 0) return;
    const session = await enter(operator).catch((error: unknown) => ({ error }));
    if ('error' in session) {
      for (const unit of units) yield couldNotLook(unit, session.error);
      return;
    }
    const { cookie } = session;
    const outlook: Outlook = {
      ...places,
      operatorToken: cookie,
      writeKeys,
      spareKeys,
      pageKeys,
      postgresUrl: db.adminUrl,
    };
    try {
      yield* proveInProcess({ program: PROGRAM, order: { outlook, wanted }, units, ending });
    } finally {
      await operator.leave(cookie);
    }
  };
}

/** Opens the evidence of this server. */
export async function wireEvidence(
  stack: AsyncDisposableStack,
  needs: EvidenceNeeds,
): Promise<WiredEvidence> {
  const { db, policies, services, clock, log, config, signer, instance } = needs;
  await revokeEarlier(needs);
  let addresses: Addresses | undefined;
  const run = runnerOf(needs, () => {
    if (!addresses) throw httpProblem('not-ready', 'The server does not listen yet.');
    return addresses;
  });
  const everyMs = config.proveEveryMs;
  const opening = await openEvidence({
    db,
    policies,
    clock,
    log,
    run,
    everyMs,
    tell: (tx, { kind, finding, promises, at }) =>
      tellOperator(tx, needs.channels, {
        kind,
        tenant: finding.tenant,
        promises: [...promises],
        control: finding.control,
        saw: finding.saw,
        at: at.toISOString(),
      }),
  });
  const evidence = stack.adopt(opening, (open) => open.close());
  const promises = openPromises({
    catalogue: controlCatalogue,
    built: BUILT_CONTROLS,
    proven: new Set(PROOFS.map(({ control }) => control)),
    last: (tenant, promise) => evidence.last(tenant, promise),
    staleMs: Math.max(STALE_ROUNDS * everyMs, STALE_MS_MIN),
    clock,
  });
  const days = evidence.days.bind(evidence);
  const logged = (tenant: TenantId) => readLogged(db.sql, { tenant, auditDir: config.auditDir });
  const report = openReports({ promises, days, logged, signer, instance, clock });
  return {
    evidence,
    promises,
    routes: evidenceRoutes({ evidence, services, clock, report }),
    begin(where) {
      addresses = where;
      evidence.begin();
    },
  };
}
