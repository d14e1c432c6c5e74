/**
 * How a document comes into force: expand both engines, flip one row, contract.
 *
 * A crash before the flip leaves the old revision in force and some empty tables; a crash after it
 * is finished at the next start. Code therefore tolerates two adjacent revisions.
 */
import { createHash } from 'node:crypto';
import {
  blocksApply,
  type Finding,
  lint,
  type Policy,
  type PolicyPlan,
  planChange,
  policyHash,
  readPolicy,
} from '@troth/policy-language';
import type postgres from 'postgres';
import { Day, TenantId } from '#base/ids';
import {
  contractEvents,
  createTenant,
  expandEvents,
  grantPurposes,
  revokePurposes,
  type Statement,
  showPurposes,
  tablesOf,
  takeLogins,
} from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';
import type { Actor } from './authorize.ts';
import { policyProblem } from './errors.ts';
import {
  flipRevision,
  insertRevision,
  isBeingRemoved,
  isVersionTaken,
  markDone,
  type Phase,
  readInForce,
  readOpenStatements,
  readUnfinished,
} from './store.ts';
import { aloneInPolicy } from './turns-store.ts';

export type PolicyDraft = {
  readonly text: string;
  readonly prose?: string;
  readonly file: string;
  readonly actor: Actor;
  readonly reason?: string;
  readonly now: Date;
  /** The day on which people were told of a material change. */
  readonly noticeGiven?: Day;
  /** Leave to put another document in force under a version that one had before. */
  readonly sameVersion?: boolean;
  /** What `judgePolicy` said of this very text, by whoever asked before. */
  readonly judged?: Judgement;
  /** Written in the transaction that flips the row: the audit entry. */
  readonly record?: (tx: postgres.TransactionSql, applied: Applied) => Promise<void>;
};

type Judgement = { readonly policy: Policy; readonly findings: Finding[] };

export type Applied = {
  readonly tenant: TenantId;
  readonly revision: number;
  readonly hash: string;
  readonly plan: PolicyPlan;
  readonly findings: readonly Finding[];
  /** False when exactly this document, with this prose, was in force already. */
  readonly changed: boolean;
  readonly noticeGiven?: Day;
};

type Engines = { readonly db: Database; readonly events: Events; readonly log: Log };

type Document = Pick<PolicyDraft, 'text' | 'prose' | 'file'>;

/** Reads a document. The policy is left out where it cannot be; the findings say why not. */
export function readDraft({ text, prose, file }: Document): {
  policy?: Policy;
  findings: Finding[];
} {
  const { policy, findings } = readPolicy(text, { file });
  return policy ? { policy, findings: [...findings, ...lint(policy, prose)] } : { findings };
}

/** What keeps a document out of force. */
export const openErrors = (findings: readonly Finding[]): Finding[] =>
  findings.filter((finding) => blocksApply([finding]));

/**
 * Reads and judges a document, and applies nothing.
 *
 * @throws Problem policy-has-errors, which names the file and the line of the first.
 */
export function judgePolicy(draft: Document): Judgement {
  const { policy, findings } = readDraft(draft);
  const open = openErrors(findings);
  if (policy && open.length === 0) return { policy, findings };
  const first = open[0];
  const where = first ? ` First: ${draft.file}, line ${first.line}, ${first.code}.` : '';
  throw policyProblem('policy-has-errors', `${open.length} open errors.${where}`, {
    openErrors: open.length,
  });
}

const checksumOf = (statement: string) => createHash('sha256').update(statement).digest('hex');

const numbered = (phase: Phase, statements: readonly Statement[]) =>
  statements.map((given, index) => ({
    ...given,
    phase,
    number: index + 1,
    checksum: checksumOf(given.statement),
  }));

type Target = { tenant: TenantId; revision: number; phase: Phase; now: Date };

async function runPhase({ db, events }: Engines, target: Target): Promise<void> {
  for (const row of await readOpenStatements(db.admin, target)) {
    if (checksumOf(row.statement) !== row.checksum) throw new Error('a stored statement changed');
    if (row.engine === 'clickhouse') await events.command(row.statement);
    else await db.admin.unsafe(row.statement);
    await markDone(db.admin, { ...target, number: row.number });
  }
}

async function compileStatements(
  db: Database,
  tenant: TenantId,
  current: Policy | undefined,
  next: Policy,
) {
  const tables = await tablesOf(db, tenant);
  const logins = await takeLogins(db, tenant, Object.keys(next.compiled.purposes));
  return [
    ...numbered('expand', [
      ...expandEvents(tenant, current, next),
      ...grantPurposes(tenant, next, tables),
    ]),
    ...numbered('contract', [
      ...contractEvents(tenant, current, next),
      ...revokePurposes(tenant, current, next, tables),
      ...showPurposes(tenant, current, next, logins),
    ]),
  ];
}

/**
 * Puts a document in force, and returns when both engines are ready for it.
 *
 * Applying what is in force already changes nothing.
 *
 * @throws Problem policy-has-errors, policy-version-reused, policy-notice-not-run,
 *         field-type-changed, service-being-removed: nothing was applied; what runs stays.
 */
export async function applyPolicy(
  db: Database,
  events: Events,
  draft: PolicyDraft,
  log: Log = () => undefined,
): Promise<Applied> {
  const judged = draft.judged ?? judgePolicy(draft);
  return applyJudged({ db, events, log }, draft, judged);
}

async function applyJudged(
  engines: Engines,
  draft: PolicyDraft,
  { policy, findings }: Judgement,
): Promise<Applied> {
  const { db, log } = engines;
  const tenant = TenantId(policy.service);
  const began = performance.now();
  const applied = await aloneInPolicy(db, tenant, () =>
    applyLocked(engines, { draft, policy, findings, tenant }),
  );
  const durationMs = Math.round(performance.now() - began);
  if (applied.changed) log('policy.applied', { tenant, revision: applied.revision, durationMs });
  return applied;
}

/** People cite a version: under one name there is one text, unless the operator says otherwise. */
async function checkVersion(
  db: Database,
  tenant: TenantId,
  policy: Policy,
  { sameVersion = false }: PolicyDraft,
): Promise<void> {
  const hash = policyHash(policy);
  if (sameVersion || !(await isVersionTaken(db.admin, { tenant, policy, hash }))) return;
  const detail = 'give the document a new version, or say that the same one is meant';
  throw policyProblem('policy-version-reused', detail);
}

/** A material change waits until people have been told for as long as they were promised. */
function checkNotice(current: Policy | undefined, next: Policy, draft: PolicyDraft): void {
  const { now, noticeGiven } = draft;
  const told = noticeGiven === undefined ? now : new Date(`${noticeGiven}T00:00:00Z`);
  const { material, earliest } = planChange(current, next, { now: told });
  if (!material || earliest <= now.toISOString().slice(0, 10)) return;
  const since = noticeGiven === undefined ? 'if people are told today' : 'by the notice given';
  throw policyProblem(
    'policy-notice-not-run',
    `The change is material. It may take effect on ${earliest}, ${since}.`,
    { earliest: Day(earliest) },
  );
}

type Judged = { draft: PolicyDraft; policy: Policy; findings: Finding[]; tenant: TenantId };

async function applyLocked(engines: Engines, judged: Judged): Promise<Applied> {
  const { db, log } = engines;
  const { draft, policy, findings, tenant } = judged;
  const { now, actor } = draft;
  if (await isBeingRemoved(db.admin, tenant)) {
    const detail = `finish it first: troth service remove ${tenant} --confirm ${tenant}`;
    throw policyProblem('service-being-removed', detail);
  }
  const prose = draft.prose ?? null;
  const [stored] = await readInForce(db.admin, tenant);
  const hash = policyHash(policy);
  const isSame = stored?.hash === hash;
  const current = isSame ? policy : stored && readPolicy(stored.source, draft).policy;
  const plan = planChange(current, policy, { now });
  if (isSame && stored.prose === prose) {
    await runPhase(engines, { tenant, revision: stored.revision, phase: 'contract', now });
    return { tenant, revision: stored.revision, hash, plan, findings, changed: false };
  }
  await checkVersion(db, tenant, policy, draft);
  checkNotice(current, policy, draft);
  await createTenant(db, tenant, { now, log });
  const statements = await compileStatements(db, tenant, current, policy);
  const reason = draft.reason ?? 'applied';
  const revision = await db.admin.begin((tx) =>
    insertRevision(tx, {
      tenant,
      policy,
      source: draft.text,
      prose,
      actor,
      reason,
      now,
      statements,
      material: plan.material,
    }),
  );
  await runPhase(engines, { tenant, revision, phase: 'expand', now });
  const { noticeGiven } = draft;
  const notice = noticeGiven === undefined ? {} : { noticeGiven };
  const applied = { tenant, revision, hash, plan, findings, changed: true, ...notice };
  await db.admin.begin(async (tx) => {
    await flipRevision(tx, tenant, revision);
    await draft.record?.(tx, applied);
  });
  await runPhase(engines, { tenant, revision, phase: 'contract', now });
  return applied;
}

/** Finishes what a crash between flip and contract left open. Run at start, before serving. */
export async function finishApplies(db: Database, events: Events, now: Date): Promise<number> {
  const open = await readUnfinished(db.admin);
  for (const { tenant, revision } of open) {
    const engines = { db, events, log: () => undefined };
    await runPhase(engines, { tenant, revision, phase: 'contract', now });
  }
  return open.length;
}
