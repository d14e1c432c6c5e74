/** The services of this installation: their documents applied at start, and what is in force. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { lint, readPolicy } from '@troth/policy-language';
import type { Clock } from '#base/clock';
import { KeyId, TenantId } from '#base/ids';
import { Problem } from '#base/problem';
import { appendAudit } from '#core/audit';
import {
  type Actor,
  applyPolicy,
  authorize,
  judgePolicy,
  listRevisions,
  type Policies,
  type PolicyDraft,
  type PolicyInForce,
  type Revision,
} from '#core/policy';
import type { ServiceInForce, ServicesInForce } from '#oversight/evidence';
import type { Database } from '#platform/database';
import type { Events } from '#platform/events';
import type { Log } from '#platform/log';

export const STARTER: Actor = { kind: 'system', id: KeyId('start') };

const isMissing = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** The prose that a document names lies beside it; a document may name none. */
function proseBeside(folder: string, text: string, file: string): string | undefined {
  const named = readPolicy(text, { file }).policy?.prose;
  if (named === undefined) return undefined;
  try {
    return readFileSync(join(folder, basename(named)), 'utf8');
  } catch (error) {
    if (isMissing(error)) throw new Error(`${file} names ${named}, which is not beside it`);
    throw error;
  }
}

/** The audit entry of an apply, in the transaction that puts the revision in force. */
export function recordApplied(actor: Actor, now: Date): NonNullable<PolicyDraft['record']> {
  return async (tx, applied) => {
    const permit = authorize(applied, actor, 'policy.apply');
    const { revision, plan, noticeGiven } = applied;
    const notice = noticeGiven === undefined ? {} : { noticeGiven };
    const fields = { revision, material: plan.material, ...notice };
    const act = { event: 'policy.applied', fields } as const;
    await appendAudit(Object.assign(tx, { now }), permit, act);
  };
}

/** What an operator put in force stays in force: the folder spoke until then. */
async function appliedByOperator(db: Database, tenant: TenantId): Promise<Revision | undefined> {
  const revisions = await listRevisions(db, tenant);
  return revisions.find(({ inForce, actorKind }) => inForce && actorKind === 'operator');
}

/**
 * Refusals that leave what was in force, and the server in order. A log that cannot be written
 * refuses acts that matter; a start with them goes on without.
 */
export const mayWait = (thrown: unknown) =>
  thrown instanceof Problem &&
  (['policy-notice-not-run', 'service-being-removed'].includes(thrown.code) ||
    thrown.code.startsWith('audit-log-'));

/**
 * Applies every document of a folder. What is in force already changes nothing. A document may keep
 * its version while it is being written; a material change waits for its notice even here.
 *
 * @throws Problem policy-has-errors: no document of the folder was applied.
 */
export async function applyFolder(
  folder: string,
  given: { db: Database; events: Events; clock: Clock; log: Log; progress(text: string): void },
): Promise<void> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const drafts = files.sort().map((file): PolicyDraft => {
    const text = readFileSync(join(folder, file), 'utf8');
    const prose = proseBeside(folder, text, file);
    const now = given.clock.now();
    const record = recordApplied(STARTER, now);
    const reason = 'applied at start';
    const draft = { text, file, actor: STARTER, reason, now, record, sameVersion: true };
    return prose === undefined ? draft : { ...draft, prose };
  });
  const theirs = new Set<string>();
  // All are judged before any is applied.
  for (const draft of drafts) {
    const { policy } = judgePolicy(draft);
    const standing = await appliedByOperator(given.db, TenantId(policy.service));
    if (!standing) continue;
    theirs.add(draft.file);
    const { tenant, revision } = standing;
    given.progress(
      `  ${tenant}: revision ${revision}, which the operator applied, stays in force; ` +
        `${draft.file} is not read. Back to it: troth apply ${join(folder, draft.file)} --reason TEXT`,
    );
  }
  for (const draft of drafts.filter(({ file }) => !theirs.has(file))) {
    try {
      const applied = await applyPolicy(given.db, given.events, draft, given.log);
      if (applied.changed)
        given.progress(`  ${applied.tenant}: revision ${applied.revision} in force`);
    } catch (thrown) {
      if (!mayWait(thrown)) throw thrown;
      given.progress(`  ${draft.file} waits. ${(thrown as Problem).detail} See: troth apply`);
    }
  }
}

function serviceOf(inForce: PolicyInForce): ServiceInForce {
  const { tenant, revision, hash, policy, source, appliedAt } = inForce;
  const prose = inForce.prose ?? undefined;
  const { findings } = readPolicy(source, { file: `${tenant}.yaml` });
  const all = [...findings, ...lint(policy, prose)];
  return { tenant, revision, hash, policy, prose, appliedAt, findings: all };
}

/** The policies in force with what the linter says of each, in memory and up to date. */
export function servicesOf(policies: Policies): ServicesInForce {
  const known = new Map<string, ServiceInForce>();
  for (const tenant of policies.tenants()) known.set(tenant, serviceOf(policies.inForce(tenant)));
  policies.onChange((changed) => known.set(changed.tenant, serviceOf(changed)));
  policies.onEnd((tenant) => known.delete(tenant));
  return { list: () => [...known.values()], get: (tenant) => known.get(tenant) };
}
