/** What people decide, written down: one receipt for each purpose, and its audit entry with it. */
import type { Policy } from '@troth/policy-language';
import type { PurposeId, SubjectId } from '#base/ids';
import { type AuditAct, appendAudits, type Forgotten, type Journal } from '#core/audit';
import type { PolicyInForce } from '#core/policy';
import type { TenantTx } from '#core/tenancy';
import { consentProblem } from './errors.ts';
import type { Conflict, ConsentStatus, Decided, Given, Notice, Receipt } from './model.ts';
import { type PurposeRule, rulesOf } from './rules.ts';
import {
  insertReceipts,
  lockSubject,
  type NewReceipt,
  readDecision,
  readStates,
  type Writer,
} from './store.ts';

/** A client's clock may be this far ahead; the decision then counts from when it arrived. */
const SKEW_MS_MAX = 5 * 60_000;

/** Where a decision is written, and by which rules. */
export type Desk = {
  readonly tx: TenantTx;
  readonly permit: Writer;
  readonly inForce: PolicyInForce;
  readonly journal: Pick<Journal, 'append'>;
};

export type Recorded = { readonly receipt: Receipt; readonly isNew: boolean };

/** The purpose that a name or an alias stands for. @throws Problem consent-purpose-unknown. */
export function purposeOf(policy: Policy, name: string): PurposeRule {
  const names = policy.compiled.purposeNames;
  const rule = rulesOf(policy).purposes.get((Object.hasOwn(names, name) && names[name]) || '');
  if (!rule) throw consentProblem('consent-purpose-unknown', 'see the purposes of the policy');
  return rule;
}

/** The notice that is shown under a policy. */
export const noticeOf = (policy: Policy) => ({
  version: policy.consent?.notice.version ?? policy.version,
  languages: policy.consent?.notice.languages ?? policy.languages,
});

/** One cannot agree to a text that is not in force; a refusal needs no text at all. */
function checkNotice(policy: Policy, { notice, granted }: Given): Notice {
  const { version, languages } = noticeOf(policy);
  if (!notice) return { version, language: languages[0] ?? 'en', stated: false };
  if (granted && (notice.version !== version || !languages.includes(notice.language))) {
    throw consentProblem(
      'consent-notice-not-in-force',
      'show the notice in force, in one of its languages, and ask again',
    );
  }
  return { ...notice, stated: true };
}

/**
 * Judges decisions before anything is made for them, not even an id for the person.
 *
 * @throws Problem consent-in-the-future, consent-notice-not-in-force, consent-purpose-essential.
 */
export function checkGiven(policy: Policy, given: readonly Given[], now: Date): void {
  for (const one of given) {
    if (rulesOf(policy).purposes.get(one.purpose)?.essential !== false) {
      throw consentProblem('consent-purpose-essential', 'it goes on under its own legal basis');
    }
    if (one.givenAt && one.givenAt.getTime() - now.getTime() > SKEW_MS_MAX) {
      throw consentProblem('consent-in-the-future', 'givenAt is ahead');
    }
    checkNotice(policy, one);
  }
}

function timeOf({ givenAt, granted }: Given, latest: Decided | undefined, now: Date): Date {
  if (givenAt) return givenAt > now ? now : givenAt;
  if (!latest) return now;
  // Taken now, so it counts, even if another server's clock was ahead when the last one was taken.
  // At the same time a refusal wins; only a yes after it has to be later.
  const least = granted && !latest.granted ? latest.givenAt + 1 : latest.givenAt;
  return new Date(Math.max(now.getTime(), least));
}

function statusOf(granted: boolean, latest: Decided | undefined, now: Date): ConsentStatus {
  const stood = latest?.granted === true && latest.expiresAt > now.getTime();
  if (granted) return stood ? 'RenewedConsentGiven' : 'ConsentGiven';
  // Who withdrew before and says no again still withdrew, and never merely refused.
  return stood || latest?.status === 'ConsentWithdrawn' ? 'ConsentWithdrawn' : 'ConsentRefused';
}

function receiptFor(
  { tx, inForce }: Desk,
  subject: SubjectId,
  given: Given,
  latest: Decided | undefined,
): NewReceipt {
  const givenAt = timeOf(given, latest, tx.now);
  const expiresAt = given.granted ? (given.expiresAt ?? null) : null;
  if (expiresAt && expiresAt <= givenAt) {
    throw consentProblem('consent-body-broken', 'expiresAt lies before the decision');
  }
  return {
    kind: 'decision',
    subject,
    purpose: given.purpose,
    granted: given.granted,
    status: statusOf(given.granted, latest, tx.now),
    givenAt,
    receivedAt: new Date(Math.max(tx.now.getTime(), givenAt.getTime())),
    expiresAt,
    notice: checkNotice(inForce.policy, given),
    method: given.method,
    signal: null,
    overrules: null,
    revision: inForce.revision,
  };
}

const actOf = ({ granted, subject, purpose, method }: Receipt): AuditAct => ({
  event: granted ? 'consent.recorded' : 'consent.withdrawn',
  subject,
  fields: { purpose, granted, method: method as string as PurposeId },
});

/**
 * Writes decisions of one person, all or none. The same decision sent again gives the receipt that
 * is there already. A refusal is also in the forget journal before this resolves.
 *
 * @throws Problem consent-in-the-future, consent-notice-not-in-force, consent-purpose-essential,
 *         journal-not-durable.
 */
export async function recordDecisions(
  desk: Desk,
  subject: SubjectId,
  given: readonly Given[],
): Promise<Recorded[]> {
  const { tx, permit, inForce, journal } = desk;
  checkGiven(inForce.policy, given, tx.now);
  await lockSubject(tx, subject);
  const known = (await readStates(tx, [subject])).get(subject);
  const wanted = given.map((one) =>
    receiptFor(desk, subject, one, known?.decisions.get(one.purpose)),
  );
  const made = await insertReceipts(tx, permit, wanted);
  const recorded: Recorded[] = [];
  for (const [index, one] of wanted.entries()) {
    const id = made.get(index);
    const receipt = id ? { id, ...one } : await readDecision(tx, one);
    if (receipt) recorded.push({ receipt, isNew: id !== undefined });
  }
  const fresh = recorded.filter(({ isNew }) => isNew).map(({ receipt }) => receipt);
  await appendAudits(tx, permit, fresh.map(actOf));
  // Last, and before the commit: a journal that says more than the table is the safe side.
  await journal.append(
    fresh
      .filter(({ granted }) => !granted)
      .map(({ purpose, givenAt }) => ({
        ...({ kind: 'consent.withdrawn', tenant: tx.tenant, subject, purpose } as const),
        at: givenAt,
      })),
  );
  return recorded;
}

/** Every purpose that a person may decide about, and every one that goes on without being asked. */
export function purposesOf(policy: Policy) {
  const rules = [...rulesOf(policy).purposes.values()];
  return {
    open: rules.filter(({ essential }) => !essential),
    essential: rules.filter(({ essential }) => essential),
  };
}

/** Takes back everything that can be taken back, also what was never given. */
export const withdrawAll = (desk: Desk, subject: SubjectId): Promise<Recorded[]> =>
  recordDecisions(
    desk,
    subject,
    purposesOf(desk.inForce.policy).open.map(({ id: purpose }) => ({
      ...({ purpose, granted: false, method: 'withdraw-all' } as const),
    })),
  );

/** Puts on record, once each, that a signal overruled a choice. */
export async function writeConflicts(desk: Desk, conflicts: readonly Conflict[]): Promise<number> {
  const { tx, permit, inForce } = desk;
  const { version, languages } = noticeOf(inForce.policy);
  const receipts = conflicts.map(
    ({ subject, purpose, signal, overrules }): NewReceipt => ({
      kind: 'signal',
      subject,
      purpose,
      granted: false,
      signal,
      overrules,
      status: overrules ? 'ConsentWithdrawn' : 'ConsentRefused',
      givenAt: tx.now,
      receivedAt: tx.now,
      expiresAt: null,
      method: 'signal',
      notice: { version, language: languages[0] ?? 'en', stated: false },
      revision: inForce.revision,
    }),
  );
  const made = await insertReceipts(tx, permit, receipts);
  const acts = [...made.keys()].flatMap((index): AuditAct[] => {
    const conflict = conflicts[index];
    if (!conflict) return [];
    const { subject, purpose, signal } = conflict;
    const fields = { purpose, signal: signal as string as PurposeId };
    return [{ event: 'consent.overruled', subject, fields }];
  });
  await appendAudits(tx, permit, acts);
  return made.size;
}

/**
 * Writes withdrawals of the forget journal that a restored backup does not know. Run before the
 * first request is served; safe to run again, since a withdrawal that is there is left alone.
 *
 * @returns how many were missing.
 */
export async function replayWithdrawals(
  { tx, permit, inForce }: Omit<Desk, 'journal'>,
  withdrawals: readonly Forgotten[],
): Promise<number> {
  const { version, languages } = noticeOf(inForce.policy);
  const notice = { version, language: languages[0] ?? 'en', stated: false };
  const receipts = withdrawals.flatMap(({ kind, subject, purpose, at, tenant }): NewReceipt[] => {
    if (kind !== 'consent.withdrawn' || tenant !== tx.tenant || !subject || !purpose) return [];
    return [
      {
        kind: 'decision',
        subject,
        purpose,
        granted: false,
        status: 'ConsentWithdrawn',
        receivedAt: new Date(Math.max(at.getTime(), tx.now.getTime())),
        givenAt: at,
        expiresAt: null,
        notice,
        method: 'replay',
        signal: null,
        overrules: null,
        revision: inForce.revision,
      },
    ];
  });
  const made = await insertReceipts(tx, permit, receipts);
  const missing = receipts.filter((_, index) => made.has(index));
  await appendAudits(
    tx,
    permit,
    missing.map(({ subject, purpose }) => ({
      event: 'consent.replayed',
      subject,
      fields: { purpose },
    })),
  );
  return made.size;
}
