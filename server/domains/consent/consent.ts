import { readPolicy } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import { KeyId, type PurposeId, type SubjectId, type TenantId } from '#base/ids';
import { appendAudit, type Forgotten, type Journal } from '#core/audit';
import {
  type Actor,
  authorize,
  type Permit,
  type Policies,
  type PolicyInForce,
} from '#core/policy';
import { inTenant, type TenantTx } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Log } from '#platform/log';
import {
  checkGiven,
  type Recorded,
  recordDecisions,
  replayWithdrawals,
  withdrawAll,
  writeConflicts,
} from './decisions.ts';
import { consentProblem } from './errors.ts';
import { type ConsentGate, type GateOptions, openGate } from './gate.ts';
import {
  type Conflict,
  type Given,
  type Handle,
  type HandleBody,
  type Receipt,
  type Signals,
  type SubjectState,
  visitorOf,
} from './model.ts';
import type { UnderPolicy } from './receipt.ts';
import { becauseOf, decidePurpose, NO_SIGNALS, rulesOf } from './rules.ts';
import { readReceipts, readRevisionSource, readStates } from './store.ts';

/** What consent needs of the keys: ids for handles. The handle goes nowhere else. */
export type ConsentKeys = {
  subjects(
    tenant: TenantId,
    handles: readonly Handle[],
    options: { readonly create: boolean },
  ): Promise<readonly ({ readonly subject: SubjectId } | undefined)[]>;
  /** Whether somebody who holds a secret said that the visitor is the person. */
  vouches(tenant: TenantId, visitor: Handle, person: Handle): Promise<boolean>;
};

export type ConsentDeps = Omit<GateOptions, 'db' | 'clock'> & {
  readonly db: Pick<Database, 'sql' | 'contextKey'>;
  readonly keys: ConsentKeys;
  readonly policies: Policies;
  readonly journal: Pick<Journal, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
};

/** How one purpose stands for one person. */
export type Standing = {
  readonly granted: boolean;
  readonly required: boolean;
  /** When it was decided, ISO 8601; null where nobody decided. */
  readonly since: string | null;
  readonly because: string;
  readonly aliases: readonly string[];
};

export type Overview = {
  readonly purposes: Readonly<Record<string, Standing>>;
  /** Newest first. */
  readonly receipts: readonly Receipt[];
};

export type Asked = {
  readonly inForce: PolicyInForce;
  readonly actor: Actor;
  readonly handle: Handle;
};

/** What a request says beside its body. */
export type Heard = {
  readonly signals: Signals;
  /** Where the person is: a country, '' where it was not found, `undefined` where it plays no part. */
  readonly region?: string | undefined;
};

export type Consent = {
  readonly gate: ConsentGate;
  /**
   * Whose consent a request is about.
   *
   * Everybody has a browser's key, and a `userId` can be guessed: an e-mail address, a number. What
   * cannot be guessed is a visitor's id. So such a key speaks for visitors, and for a person only
   * together with a visitor whom a *server* linked to them; had the browser's own `identify` been
   * enough, anybody could have become anybody first. Whether the person is known plays no part.
   *
   * @throws Problem consent-handle-not-shown
   */
  handleOf(tenant: TenantId, body: HandleBody, isPublic: boolean): Promise<Handle>;
  /** Writes decisions: all, or none. @throws what `recordDecisions` throws, and forbidden. */
  record(asked: Asked, given: readonly Given[]): Promise<Recorded[]>;
  /** Withdraws every purpose that can be withdrawn. */
  withdraw(asked: Asked): Promise<Recorded[]>;
  /** How everything stands: as the gate would decide about an event of this very request. */
  overview(asked: Asked, heard: Heard): Promise<Overview>;
  /** Those of these people whose data may be read for a purpose as they stand now. */
  agreed(
    inForce: PolicyInForce,
    purpose: PurposeId,
    subjects: readonly SubjectId[],
  ): Promise<ReadonlySet<SubjectId>>;
  /** Writes what `decide` returned as conflicts. Safe to repeat; returns how many were new. */
  recordConflicts(tenant: TenantId, conflicts: readonly Conflict[]): Promise<number>;
  /** After a restore: withdrawals of the forget journal. Returns how many the backup had lost. */
  replay(tenant: TenantId, journalled: readonly Forgotten[]): Promise<number>;
  /** The policy under which a receipt was made. */
  policyOf(tenant: TenantId, revision: number): Promise<UnderPolicy>;
  close(): Promise<void>;
};

const GATE: Actor = { kind: 'system', id: KeyId('consentGate') };
const SILENT: SubjectState = { decisions: new Map(), noted: new Set() };
const REVISIONS_MAX = 64;
const REPLAYED_AT_ONCE = 500;

/** What is known of a person in a transaction: for those who decide inside one. */
export const consentState = async (tx: TenantTx, subject: SubjectId): Promise<SubjectState> =>
  (await readStates(tx, [subject])).get(subject) ?? SILENT;

function standingsOf(
  { policy }: PolicyInForce,
  facts: Heard & { subject: SubjectId | undefined; state: SubjectState; now: Date },
): Record<string, Standing> {
  const rules = rulesOf(policy);
  const now = facts.now.getTime();
  return Object.fromEntries(
    [...rules.purposes.values()].map(({ id, essential }) => {
      const decided = facts.state.decisions.get(id);
      const decision = decidePurpose(rules, id, { ...facts, region: facts.region, now });
      const speaks = decided && becauseOf(decided, now) === decision.because;
      const standing: Standing = {
        granted: decision.allowed,
        required: essential,
        since: speaks ? new Date(decided.givenAt).toISOString() : null,
        because: decision.because,
        aliases: policy.purposes[id]?.aliases ?? [],
      };
      return [id, standing];
    }),
  );
}

/** Receipts are rendered under the policy of their day, which is kept for good. */
function openRevisions({ db, policies, clock }: ConsentDeps) {
  const known = new Map<string, UnderPolicy>();
  return async (tenant: TenantId, revision: number): Promise<UnderPolicy> => {
    const current = policies.inForce(tenant);
    if (current.revision === revision) return current;
    const name = `${tenant} ${revision}`;
    const found = known.get(name);
    if (found) return found;
    const scope = { tenant, now: clock.now() };
    const stored = await inTenant(db, scope, (tx) => readRevisionSource(tx, revision));
    const { policy } = readPolicy(stored?.source ?? '', { file: `${tenant}.yaml` });
    if (!policy || !stored) throw new Error('the policy of a receipt cannot be read');
    if (known.size >= REVISIONS_MAX) known.clear();
    known.set(name, { policy, hash: stored.hash });
    return { policy, hash: stored.hash };
  };
}

type Deciding = 'consent.record' | 'consent.withdraw';
type Work = (tx: TenantTx, subject: SubjectId, permit: Permit<Deciding>) => Promise<Recorded[]>;

async function subjectOf(keys: ConsentKeys, { inForce, handle }: Asked, create: boolean) {
  const [found] = await keys.subjects(inForce.tenant, [handle], { create });
  return found?.subject;
}

/** Signals are heard when data comes in; at a reading there is no browser to give one. */
function agreeing(gate: ConsentGate): Consent['agreed'] {
  return async (inForce, purpose, subjects) => {
    const people = [...new Set(subjects)];
    await gate.load(inForce.tenant, people);
    const question = { policy: inForce, purpose, signals: NO_SIGNALS };
    return new Set(people.filter((subject) => gate.decide({ ...question, subject }).allowed));
  };
}

/** Asks for leave, finds the person, writes, and lets go of what was known of them. */
function decider({ db, keys, clock, log }: ConsentDeps, gate: ConsentGate) {
  return async (asked: Asked, action: Deciding, write: Work): Promise<Recorded[]> => {
    const { inForce, actor } = asked;
    const { tenant } = inForce;
    const permit = authorize<Deciding>(inForce, actor, action);
    const subject = await subjectOf(keys, asked, true);
    if (!subject) {
      throw consentProblem(
        'consent-person-erased',
        'who returns is known anew after the late window',
      );
    }
    const scope = { tenant, now: clock.now() };
    const recorded = await inTenant(db, scope, (tx) => write(tx, subject, permit));
    // Here at once, so that who decided finds it decided; elsewhere within a moment.
    gate.forget(tenant, subject);
    for (const { receipt, isNew } of recorded) {
      if (isNew) log('consent.recorded', { tenant, purpose: receipt.purpose });
    }
    return recorded;
  };
}

function handleFinder(keys: ConsentKeys): Consent['handleOf'] {
  return async (tenant, body, isPublic) => {
    const visitor = visitorOf(body);
    if (!('userId' in body)) return visitor as Handle;
    const person: Handle = { kind: 'user', value: body.userId };
    if (!isPublic || (visitor && (await keys.vouches(tenant, visitor, person)))) return person;
    throw consentProblem('consent-handle-not-shown', 'name a visitor, or ask from a server');
  };
}

function overviewer({ db, keys, clock }: ConsentDeps) {
  return async (asked: Asked, heard: Heard): Promise<Overview> => {
    const { inForce, actor } = asked;
    const permit = authorize(inForce, actor, 'consent.read');
    const subject = await subjectOf(keys, asked, false);
    const now = clock.now();
    if (subject === undefined) {
      const purposes = standingsOf(inForce, { ...heard, subject, state: SILENT, now });
      return { purposes, receipts: [] };
    }
    return inTenant(db, { tenant: inForce.tenant, now }, async (tx) => {
      const state = await consentState(tx, subject);
      const purposes = standingsOf(inForce, { ...heard, subject, state, now });
      const receipts = await readReceipts(tx, subject);
      const fields = { receipts: receipts.length };
      await appendAudit(tx, permit, { event: 'consent.read', subject, fields });
      return { purposes, receipts };
    });
  };
}

function replayer({ db, policies, clock }: ConsentDeps) {
  return async (tenant: TenantId, journalled: readonly Forgotten[]): Promise<number> => {
    const inForce = policies.inForce(tenant);
    const permit = authorize(inForce, GATE, 'consent.withdraw');
    let missing = 0;
    for (let from = 0; from < journalled.length; from += REPLAYED_AT_ONCE) {
      const some = journalled.slice(from, from + REPLAYED_AT_ONCE);
      const scope = { tenant, now: clock.now() };
      missing += await inTenant(db, scope, (tx) =>
        replayWithdrawals({ tx, permit, inForce }, some),
      );
    }
    return missing;
  };
}

/** Opens the domain. The gate listens from here on; `close` ends that. */
export async function createConsent(deps: ConsentDeps): Promise<Consent> {
  const { db, policies, journal, clock } = deps;
  const gate = await openGate(deps);
  const decide = decider(deps, gate);
  return {
    gate,
    handleOf: handleFinder(deps.keys),
    policyOf: openRevisions(deps),
    overview: overviewer(deps),
    agreed: agreeing(gate),
    replay: replayer(deps),
    async record(asked, given) {
      const { inForce } = asked;
      // Before anything is made for them: bad input leaves not even an id for the person.
      checkGiven(inForce.policy, given, clock.now());
      if (given.length === 0) return [];
      return decide(asked, 'consent.record', (tx, subject, permit) =>
        recordDecisions({ tx, permit, inForce, journal }, subject, given),
      );
    },
    withdraw: (asked) =>
      decide(asked, 'consent.withdraw', (tx, subject, permit) =>
        withdrawAll({ tx, permit, inForce: asked.inForce, journal }, subject),
      ),
    async recordConflicts(tenant, conflicts) {
      if (conflicts.length === 0) return 0;
      const inForce = policies.inForce(tenant);
      const permit = authorize(inForce, GATE, 'consent.record');
      const written = await inTenant(db, { tenant, now: clock.now() }, (tx) =>
        writeConflicts({ tx, permit, inForce, journal }, conflicts),
      );
      gate.note(tenant, conflicts);
      return written;
    },
    close: () => gate.close(),
  };
}
