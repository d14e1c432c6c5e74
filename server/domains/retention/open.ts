import type { TenantId } from '#base/ids';
import { Word } from '#base/ids';
import type { Actor, PolicyInForce } from '#core/policy';
import type { People, ReadRow } from '#core/purposes';
import { eventTablesOf } from '#core/tenancy';
import { type ArchiveAsked, readArchive } from './archive.ts';
import { applyChoices, type Chosen, choose } from './choices.ts';
import { ClockGuard } from './clock-guard.ts';
import type { RetentionDeps } from './deps.ts';
import { type Choice, type Limits, limitFrom, limitsOf, type RuleIn } from './limits.ts';
import * as store from './store.ts';
import { type MayWait, type Swept, sweepTenant } from './sweep.ts';

export type Asker = { readonly inForce: PolicyInForce; readonly actor: Actor };

/** How one data type stands. */
export type Standing = {
  readonly dataType: string;
  readonly from: string;
  readonly limits: Limits;
  readonly choices: readonly Choice[];
  /** Of each tier; none where nothing swept it yet. */
  readonly latest: readonly store.Sweep[];
  /** False: records of this kind are not made by this version, so there is nothing to sweep. */
  readonly isSwept: boolean;
};

type SweepOptions = { isWhole?: boolean; now?: Date; mayWait?: MayWait | undefined };

export type Retention = {
  /** What holds now, from memory: for whoever writes rows. */
  limitsOf(inForce: Pick<PolicyInForce, 'tenant' | 'policy'>, dataType: string): Limits | undefined;
  /** One service, now: everything, or what its schedule asks for. */
  sweep(tenant: TenantId, options?: SweepOptions): Promise<Swept[]>;
  /** Every service and the platform's own records; what the job runs. */
  sweepAll(options?: { mayWait?: MayWait }): Promise<void>;
  choose(asker: Asker, chosen: Chosen): Promise<void>;
  /** @param people  How they stand now whom the rows are about. */
  readArchive(asker: Asker, asked: ArchiveAsked, people: People): Promise<ReadRow[]>;
  standing(inForce: PolicyInForce): Promise<Standing[]>;
  sweeps(tenant: TenantId, limit: number): Promise<store.Sweep[]>;
  /** Called when a service's choices changed, here or on another server. */
  onChange(listener: (tenant: TenantId) => void): void;
  close(): Promise<void>;
};

const SWEEPS_KEPT_MS = 366 * 86_400_000;

/** All services and chores, whatever fails among them. @throws what failed first. */
async function sweepEach(
  { db, policies, chores }: RetentionDeps,
  sweep: (tenant: TenantId) => Promise<unknown>,
  now: Date,
): Promise<void> {
  const failures: unknown[] = [];
  // One service that cannot be swept must not keep the others from it.
  for (const tenant of policies.tenants()) {
    await sweep(tenant).catch((error) => failures.push(error));
  }
  for (const { run } of chores) await run(now).catch((error) => failures.push(error));
  await store.forgetSweeps(db.sql, new Date(now.getTime() - SWEEPS_KEPT_MS));
  if (failures.length > 0) throw failures[0];
}

/** Opens the domain; follows the choices that any server takes in. */
export async function openRetention(deps: RetentionDeps, ruleIn: RuleIn): Promise<Retention> {
  const { db, policies, clock, log } = deps;
  const guard = new ClockGuard();
  const listeners: ((tenant: TenantId) => void)[] = [];
  let choices = await store.readChoices(db.sql);
  const of = (tenant: TenantId) => choices.filter((one) => one.tenant === tenant);
  const reload = async () => {
    choices = await store.readChoices(db.sql);
  };
  const heard = await db.sql.listen(store.CHOICES_CHANNEL, (tenant) => {
    void reload()
      .then(() => {
        for (const listener of listeners) listener(tenant as TenantId);
      })
      .catch(() => undefined);
  });

  const sweep: Retention['sweep'] = (tenant, options = {}) => {
    const { isWhole = true, now = clock.now(), mayWait } = options;
    const inForce = policies.inForce(tenant);
    return sweepTenant(deps, { inForce, choices: of(tenant), ruleIn, now, isWhole, mayWait });
  };

  return {
    sweep,
    limitsOf({ tenant, policy }, dataType) {
      const compiled = policy.compiled.data[dataType];
      return compiled && limitsOf(policy, compiled, of(tenant), ruleIn);
    },
    async sweepAll({ mayWait } = {}) {
      const now = clock.now();
      if (!guard.mayBelieve(now)) {
        log('sweep.put-off', { why: Word('clock-leapt') });
        return;
      }
      const one = (tenant: TenantId) => sweep(tenant, { isWhole: false, now, mayWait });
      await sweepEach(deps, one, now);
    },
    async choose(asker, chosen) {
      await choose(deps, asker, chosen);
      await reload();
      const { dataType, region = '' } = chosen;
      const { tenant } = asker.inForce;
      await applyChoices(deps, asker.inForce, { dataType, region, choices: of(tenant), ruleIn });
      await sweep(tenant);
      for (const listener of listeners) listener(tenant);
    },
    readArchive: (asker, asked, people) => readArchive({ ...deps, people }, asker, asked),
    async standing({ tenant, policy }) {
      const latest = await store.readLatest(db.sql, tenant);
      const events = new Set(eventTablesOf(tenant, policy).map(({ dataType }) => dataType));
      const kept = new Set(
        deps.stores.map(({ from, not }) => limitFrom(policy, from, not)?.id ?? ''),
      );
      return Object.values(policy.compiled.data).map((compiled) => ({
        dataType: compiled.id,
        from: policy.data[compiled.id]?.from ?? '',
        limits: limitsOf(policy, compiled, of(tenant), ruleIn),
        choices: of(tenant).filter(({ dataType }) => dataType === compiled.id),
        latest: latest.filter(({ dataType }) => dataType === compiled.id),
        isSwept: events.has(compiled.id) || kept.has(compiled.id),
      }));
    },
    sweeps: (tenant, limit) => store.readSweeps(db.sql, tenant, limit),
    onChange: (listener) => void listeners.push(listener),
    async close() {
      await heard.unlisten();
    },
  };
}
