/**
 * One pass of retention over one service: what is due leaves the active tier for the archive, and
 * both for good, before it reaches the age that the policy names.
 */
import { DataTypeId, type TenantId } from '#base/ids';
import { authorize, type Permit, type PolicyInForce } from '#core/policy';
import {
  archiveDatabaseOf,
  type EventTable,
  eventsDatabaseOf,
  eventTablesOf,
  withEventTables,
} from '#core/tenancy';
import { type RetentionDeps, SWEEPER } from './deps.ts';
import {
  type Choice,
  cutoffOf,
  type Limits,
  limitFrom,
  limitsOf,
  marginMs,
  overdueOf,
  type RuleIn,
  sweepEveryMs,
} from './limits.ts';
import { readLatest, type Sweep, type Tier, writeSweeps } from './store.ts';
import * as rows from './store-events.ts';

const DAY_MS = 86_400_000;
/** So many days are moved in one pass at most; the next pass goes on. */
const DAYS_MAX = 4_000;
/** More overdue rows than this are no proof's, and nobody is asked about them. */
const WAITING_MAX = 1_000;
/** An expiry that no row has reached. */
const NEVER = new Date(0);

export type Swept = Pick<Sweep, 'dataType' | 'tier' | 'rows'>;

/**
 * Whether these overdue rows, by their message numbers, are left to a later pass: while a start
 * catches up, what proofs planted is none of its duties.
 */
export type MayWait = (tenant: TenantId, messages: readonly bigint[]) => Promise<boolean>;

export type Pass = {
  readonly inForce: PolicyInForce;
  readonly choices: readonly Choice[];
  readonly ruleIn: RuleIn;
  readonly now: Date;
  /** True sweeps everything; else what its schedule asks for, and whatever is overdue. */
  readonly isWhole: boolean;
  readonly mayWait?: MayWait | undefined;
};

type Work = {
  readonly deps: RetentionDeps;
  readonly permit: Permit<'data.sweep'>;
  readonly pass: Pass;
  readonly latest: ReadonlyMap<string, Date>;
  /** Rows of each table when the pass began, and of what it moved since. */
  readonly tables: Map<string, number>;
  readonly swept: Sweep[];
};

const tierOf = (dataType: string, tier: Tier) => `${dataType} ${tier}`;

function isDue({ latest, pass }: Work, dataType: string, tier: Tier, limitMs: number): boolean {
  const last = latest.get(tierOf(dataType, tier));
  if (!last || pass.isWhole) return true;
  const age = pass.now.getTime() - last.getTime();
  // A clock that was put back must not end all sweeping until it has caught up.
  return age < 0 || age >= sweepEveryMs(limitMs) - 1_000;
}

function note({ deps, permit, pass, swept }: Work, sweep: Omit<Sweep, 'sweptAt'>): void {
  swept.push({ ...sweep, sweptAt: pass.now });
  const { dataType, rows: count } = sweep;
  if (count === 0) return;
  deps.log('rows.swept', { tenant: permit.tenant, dataType: DataTypeId(dataType), rows: count });
}

/** Countries whose rows live longer, since a customer chose so: what `expires` says ends them. */
async function outlasting(
  { deps, pass }: Work,
  place: rows.Place,
  { totalMs, regions }: Limits,
): Promise<string[]> {
  const isLonger = (ms: number | undefined) => ms !== undefined && ms > (totalMs ?? ms);
  if (!Object.values(regions).some(isLonger)) return [];
  const countries = await rows.countriesIn(deps.events, place);
  return countries.filter((country) => isLonger(pass.ruleIn(regions, country)));
}

/** Whether something is overdue that cannot wait. */
async function isLate({ deps, pass }: Work, place: rows.Place, overdue: rows.Due) {
  const count = await rows.countDue(deps.events, place, overdue);
  if (count === 0 || !pass.mayWait || count > WAITING_MAX) return count > 0;
  const messages = await rows.readDue(deps.events, place, { ...overdue, limit: WAITING_MAX });
  return !(await pass.mayWait(pass.inForce.tenant, messages));
}

/** Deletes from one table what its limit ends. */
async function sweepTable(
  work: Work,
  place: rows.Place,
  { dataType, tier, limits }: { dataType: string; tier: Tier; limits: Limits },
): Promise<void> {
  const { deps, pass } = work;
  const limitMs = limits.totalMs;
  if (limitMs === null) return;
  const { events } = deps;
  const { now } = pass;
  const cutoff = cutoffOf(limitMs, now);
  if (!work.tables.get(rows.nameOf(place))) {
    if (!isDue(work, dataType, tier, limitMs)) return;
    return note(work, { dataType, tier, cutoff, limitMs, rows: 0, oldest: null });
  }
  const spared = await outlasting(work, place, limits);
  const overdue = { before: overdueOf(limitMs, now), expiry: now, spared };
  const due = (await isLate(work, place, overdue)) || isDue(work, dataType, tier, limitMs);
  if (!due) return;
  const expiry = new Date(now.getTime() + Math.min(marginMs(limitMs), DAY_MS));
  const ending = { before: cutoff, expiry, spared };
  const count = await rows.countDue(events, place, ending);
  if (count > 0) await rows.deleteDue(events, place, ending);
  await deps.afterStep?.('deleted');
  const { oldest } = await rows.readAge(events, place);
  note(work, { dataType, tier, cutoff, limitMs, rows: count, oldest });
}

/** Day by day, so that a move of years holds little at a time and a crash loses little. */
async function moveToArchive(
  work: Work,
  places: { from: rows.Place; to: rows.Place },
  { dataType, activeMs }: { dataType: string; activeMs: number },
): Promise<void> {
  const { deps, permit, pass } = work;
  const { events, db, afterStep } = deps;
  const { now } = pass;
  const cutoff = cutoffOf(activeMs, now);
  const overdue = overdueOf(activeMs, now);
  const isEmpty = !work.tables.get(rows.nameOf(places.from));
  const { oldest } = isEmpty ? { oldest: null } : await rows.readAge(events, places.from);
  const old = { before: overdue, expiry: NEVER, spared: [] };
  const late = oldest !== null && oldest < overdue && (await isLate(work, places.from, old));
  if (!late && !isDue(work, dataType, 'moved', activeMs)) return;
  if (oldest !== null && oldest < cutoff) await rows.prepareArchive(events, places.from, places.to);
  let moved = 0;
  let from = oldest;
  for (let day = 0; from !== null && from < cutoff && day < DAYS_MAX; day++) {
    const window: { from: Date; until: Date } = { from, until: endOfDay(from, cutoff) };
    moved += await withEventTables(db, permit.tenant, async () => {
      const copied = await rows.copyRows(events, places, window);
      await afterStep?.('copied');
      if (copied > 0) await rows.deleteCopied(events, places, window);
      return copied;
    });
    await afterStep?.('moved');
    from = (await rows.readAge(events, places.from)).oldest;
    // What could not be moved must not hold up what comes after it for ever.
    if (from !== null && from < window.until) from = window.until;
  }
  if (moved > 0) work.tables.set(rows.nameOf(places.to), moved);
  note(work, { dataType, tier: 'moved', cutoff, limitMs: activeMs, rows: moved, oldest: from });
}

function endOfDay(from: Date, cutoff: Date): Date {
  const end = (Math.floor(from.getTime() / DAY_MS) + 1) * DAY_MS;
  return new Date(Math.min(end, cutoff.getTime()));
}

async function sweepEvents(work: Work, table: EventTable): Promise<void> {
  const { permit, pass, tables } = work;
  const { policy } = pass.inForce;
  const { dataType } = table;
  const compiled = policy.compiled.data[dataType];
  if (!compiled || !tables.has(rows.nameOf(table))) return;
  const limits = limitsOf(policy, compiled, pass.choices, pass.ruleIn);
  const { activeMs } = limits;
  const archive = { database: archiveDatabaseOf(permit.tenant), table: table.table };
  if (activeMs !== null) {
    await moveToArchive(work, { from: table, to: archive }, { dataType, activeMs });
  }
  if (limits.totalMs === null) return;
  await sweepTable(work, table, { dataType, tier: 'active', limits });
  // Also where the policy has no archive any more: what lies in it ends all the same.
  if (activeMs !== null || tables.has(rows.nameOf(archive))) {
    await sweepTable(work, archive, { dataType, tier: 'archive', limits });
  }
}

async function sweepRecords(work: Work): Promise<void> {
  const { deps, permit, pass } = work;
  const { now, inForce } = pass;
  for (const { from, not, sweep, age } of deps.stores) {
    const found = limitFrom(inForce.policy, from, not);
    if (!found) continue;
    const { id: dataType } = found;
    const choice = pass.choices.find((one) => one.dataType === dataType && one.region === '');
    const limitMs = choice?.limitMs ?? found.retain.milliseconds ?? Number.POSITIVE_INFINITY;
    const before = await age(permit.tenant);
    const isLate = before.oldest !== null && before.oldest < overdueOf(limitMs, now);
    if (!isLate && !isDue(work, dataType, 'active', limitMs)) continue;
    const cutoff = cutoffOf(limitMs, now);
    const count = await sweep(permit, { before: cutoff, now });
    const { oldest } = await age(permit.tenant);
    note(work, { dataType, tier: 'active', cutoff, limitMs, rows: count, oldest });
  }
}

/**
 * Sweeps one service. Safe to repeat and to cut off anywhere: it goes by age, and a copy that
 * stands in both tiers is carried on, not doubled.
 *
 * @returns what was swept now; what its schedule does not ask for yet is left out.
 */
export async function sweepTenant(deps: RetentionDeps, pass: Pass): Promise<Swept[]> {
  const { inForce } = pass;
  const permit = authorize(inForce, SWEEPER, 'data.sweep');
  const latest = new Map(
    (await readLatest(deps.db.sql, inForce.tenant)).map(({ dataType, tier, sweptAt }) => [
      tierOf(dataType, tier),
      sweptAt,
    ]),
  );
  const { tenant, policy } = inForce;
  const databases = [eventsDatabaseOf(tenant), archiveDatabaseOf(tenant)];
  const tables = await rows.readTables(deps.events, databases);
  const work: Work = { deps, permit, pass, latest, tables, swept: [] };
  try {
    for (const table of eventTablesOf(tenant, policy)) await sweepEvents(work, table);
    await sweepRecords(work);
  } finally {
    // What was done is on record, also when the rest failed.
    await writeSweeps(deps.db.sql, permit, work.swept);
  }
  return work.swept;
}
