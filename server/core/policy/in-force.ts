import { type Finding, type Policy, readPolicy } from '@troth/policy-language';
import { TenantId } from '#base/ids';
import { tenancyProblem } from '#core/tenancy';
import type { Database } from '#platform/database';
import type { Log } from '#platform/log';
import { readInForce, type StoredPolicy } from './store.ts';

/** Any name; what matters is that the trigger in the migration says the same. */
const CHANNEL = 'troth_policy';

export type PolicyInForce = {
  readonly tenant: TenantId;
  readonly policy: Policy;
  /** What its reading said; the linter is not asked here. */
  readonly findings: readonly Finding[];
  readonly hash: string;
  readonly revision: number;
  readonly source: string;
  readonly prose: string | null;
  readonly appliedAt: Date;
};

export type Policies = {
  /** From memory, without waiting. @throws Problem tenant-unknown. */
  inForce(tenant: TenantId): PolicyInForce;
  find(tenant: string): PolicyInForce | undefined;
  tenants(): TenantId[];
  /** Reads again: one tenant's policy, or all. */
  refresh(tenant?: TenantId): Promise<void>;
  /** Calls back after each change, with the tenant's new policy. Returns what ends it. */
  onChange(listener: (changed: PolicyInForce) => void): () => void;
  /** Calls back when a service has no policy in force any longer. Returns what ends it. */
  onEnd(listener: (tenant: TenantId) => void): () => void;
  close(): Promise<void>;
};

/** The stored text was linted before it was stored; here it only has to be read again. */
function revive(stored: StoredPolicy): PolicyInForce {
  const { tenant, revision, hash, source, prose, appliedAt } = stored;
  const { policy, findings } = readPolicy(source, { file: `${tenant}.yaml` });
  if (!policy) throw new Error('a policy in force cannot be read');
  const read = { policy, findings, source, prose };
  return { tenant: TenantId(tenant), revision, hash, appliedAt, ...read };
}

/**
 * Keeps the policies in force in memory and follows every change, also those that another server
 * makes.
 */
export async function openPolicies(
  db: Pick<Database, 'sql'>,
  { log }: { log: Log },
): Promise<Policies> {
  const known = new Map<string, PolicyInForce>();
  const listeners = new Set<(changed: PolicyInForce) => void>();
  const endings = new Set<(tenant: TenantId) => void>();
  let turn: Promise<unknown> = Promise.resolve();

  async function read(tenant: TenantId | undefined): Promise<void> {
    const found = await readInForce(db.sql, tenant ?? null);
    for (const stored of found) {
      const before = known.get(stored.tenant);
      if (before && before.revision >= stored.revision) continue;
      const now = revive(stored);
      known.set(stored.tenant, now);
      log('policy.refreshed', { tenant: now.tenant, revision: now.revision });
      for (const listener of listeners) listener(now);
    }
    const still = new Set(found.map((stored) => stored.tenant));
    for (const name of tenant ? [tenant] : [...known.keys()]) {
      if (still.has(name) || !known.delete(name)) continue;
      for (const listener of endings) listener(TenantId(name));
    }
  }

  /** One after the other: an answer that overtook another would bring back what has ended. */
  function refresh(tenant?: TenantId): Promise<void> {
    const mine = turn.then(() => read(tenant));
    turn = mine.catch(() => undefined);
    return mine;
  }

  // After a lost connection the notices in between are lost too, so everything is read again.
  const listening = await db.sql.listen(
    CHANNEL,
    (tenant) => void refresh(TenantId(tenant)).catch(() => undefined),
    () => void refresh().catch(() => undefined),
  );
  await refresh();
  return {
    inForce(tenant) {
      const found = known.get(tenant);
      if (!found) throw tenancyProblem('tenant-unknown', 'no policy of this service is in force');
      return found;
    },
    find: (tenant) => known.get(tenant),
    tenants: () => [...known.values()].map(({ tenant }) => tenant),
    refresh,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onEnd(listener) {
      endings.add(listener);
      return () => void endings.delete(listener);
    },
    close: () => listening.unlisten(),
  };
}
