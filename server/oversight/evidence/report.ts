/**
 * The evidence report: what was found about every promise of one service, when, how near to the
 * fact the probe looked, and what it cannot show. Signed, so that whoever gets it sees that it was
 * not changed; worded, so that nobody takes it for more than it is.
 */
import type { Clock } from '#base/clock';
import type { Signer } from '#base/ed25519';
import type { TenantId } from '#base/ids';
import { type SignedDocument, signDocument } from '#base/signed-document';
import { type Logged, loggedComplaints } from './logged.ts';
import type {
  DayFound,
  PromiseAnswer,
  PromiseAnswers,
  PromiseCounts,
  ServiceInForce,
} from './model.ts';

export const REPORT_KIND = 'evidence-report';

export type ReportRow = Pick<
  PromiseAnswer,
  'id' | 'says' | 'line' | 'state' | 'control' | 'saw' | 'reason' | 'provenAt' | 'since' | 'blindTo'
> & {
  /** How near the probe looked; null where none did. */
  readonly strength: string | null;
  /** The last thirty days: `YYYY-MM-DD` and how often it was found kept, broken, a gap. */
  readonly days: readonly (readonly [day: string, kept: number, broken: number, gap: number])[];
};

export type Report = {
  readonly service: string;
  readonly title: string;
  readonly controller: string;
  readonly version: string;
  readonly revision: number;
  readonly policyHash: string;
  readonly madeAt: string;
  readonly instance: string;
  readonly counts: PromiseCounts;
  /** Of what is kept: how many by which kind of probe. */
  readonly keptBy: Readonly<Record<string, number>>;
  readonly promises: readonly ReportRow[];
  readonly whatItShows: readonly string[];
  /** The entries of the audit log that the findings came with, each with its inclusion proof. */
  readonly audit: Logged;
};

/** Whom the report convinces and of what. @see docs/decisions for the reasoning. */
const WHAT_IT_SHOWS: readonly string[] = [
  'Each finding was made by a program that looked at the running service from outside: at stored bytes, over the network, at the grants of its databases. “Kept” means that it looked and saw; a gap means that it could not judge.',
  'The signature shows that this file is as the installation wrote it. The signing key lies in the keyring of that installation, so the operator holds it.',
  'An operator who lies could run another program that signs false findings, or show a service to the prover that users never meet. This report alone cannot exclude that.',
  'The audit log of the installation is a Merkle tree: whoever keeps an earlier checkpoint can show that nothing in it was changed since. A witness who cosigns checkpoints, or an outside time stamp, would add that the report existed at its time; none is configured by default.',
  'What other companies do with data they were given, and what the service keeps in tables of its own, is outside of what the product can see.',
];

export type ReportSources = {
  readonly promises: (service: ServiceInForce) => PromiseAnswers;
  readonly days: (tenant: TenantId, from: Date) => Promise<DayFound[]>;
  readonly logged: (tenant: TenantId) => Promise<Logged>;
  readonly signer: Signer;
  readonly instance: string;
  readonly clock: Clock;
};

const DAYS = 30;
const DAY_MS = 86_400_000;

const rowOf = (answer: PromiseAnswer, days: ReportRow['days']): ReportRow => {
  const { id, says, line, state, control, saw, reason, provenAt, since, blindTo, probe } = answer;
  const strength = provenAt === null ? null : probe;
  return { id, says, line, state, control, saw, reason, provenAt, since, blindTo, strength, days };
};

function keptBy(rows: readonly ReportRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state, strength } of rows) {
    if (state === 'kept' && strength) counts[strength] = (counts[strength] ?? 0) + 1;
  }
  return counts;
}

/** Makes the reports of this installation. */
export function openReports(sources: ReportSources) {
  const { promises, days, logged, signer, instance, clock } = sources;
  return async (service: ServiceInForce): Promise<SignedDocument> => {
    const { tenant, policy, revision, hash } = service;
    const now = clock.now();
    const found = new Map<string, [string, number, number, number][]>();
    for (const one of await days(tenant, new Date(now.getTime() - DAYS * DAY_MS))) {
      const list = found.get(one.promise) ?? [];
      list.push([one.day, one.kept, one.broken, one.gap]);
      found.set(one.promise, list);
    }
    const answers = promises(service);
    const rows = answers.promises.map((answer) => rowOf(answer, found.get(answer.id) ?? []));
    const report: Report = {
      service: tenant,
      title: policy.title,
      controller: policy.controller.name,
      version: String(policy.version),
      revision,
      policyHash: hash,
      madeAt: now.toISOString(),
      instance,
      counts: answers.counts,
      keptBy: keptBy(rows),
      promises: rows,
      whatItShows: WHAT_IT_SHOWS,
      audit: await logged(tenant),
    };
    return signDocument(REPORT_KIND, report, signer);
  };
}

/**
 * What is wrong with a report beyond its signature; empty when its figures follow from its rows.
 *
 * A signed file may still have been made wrongly: a promise that is kept must say what was seen.
 */
export function reportComplaints(document: unknown, publicKey: Uint8Array): string[] {
  const { promises, counts, audit } = (document ?? {}) as Partial<Report>;
  if (!Array.isArray(promises) || !counts || !audit) return ['it is not shaped as a report is'];
  const complaints = loggedComplaints(audit, promises, publicKey);
  const counted: Record<string, number> = { kept: 0, broken: 0, gap: 0, attested: 0 };
  for (const { id, state, saw, provenAt, reason } of promises) {
    counted[state] = (counted[state] ?? 0) + 1;
    if (state === 'kept' && (!saw || !provenAt)) complaints.push(`${id} is kept by nothing seen`);
    if (state === 'gap' && !reason) complaints.push(`${id} is a gap without a reason`);
  }
  for (const [state, count] of Object.entries(counts)) {
    if (counted[state] !== count) complaints.push(`its count of ${state} is not that of its rows`);
  }
  return complaints;
}
