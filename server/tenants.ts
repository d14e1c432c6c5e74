/** The services of this installation: what is in force, and how an apply is recorded. */
import { lint } from '@troth/policy-language';
import { KeyId } from '#base/ids';
import { Problem } from '#base/problem';
import { appendAudit } from '#core/audit';
import {
  type Actor,
  authorize,
  type Policies,
  type PolicyDraft,
  type PolicyInForce,
} from '#core/policy';
import type { ServiceInForce, ServicesInForce } from '#oversight/evidence';

export const STARTER: Actor = { kind: 'system', id: KeyId('start') };

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

/**
 * Refusals that leave what was in force, and the server in order. A log that cannot be written
 * refuses acts that matter; a start with them goes on without.
 */
export const mayWait = (thrown: unknown) =>
  thrown instanceof Problem &&
  (thrown.code === 'service-being-removed' || thrown.code.startsWith('audit-log-'));

function serviceOf(inForce: PolicyInForce): ServiceInForce {
  const { tenant, revision, hash, policy, findings, appliedAt } = inForce;
  const prose = inForce.prose ?? undefined;
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
