/** The rows of people whose keys are gone: noted, deleted store by store, counted again. */
import type { SubjectId, TenantId } from '#base/ids';
import { withEventTables } from '#core/tenancy';
import type { ErasureDeps } from './deps.ts';
import type { Counts, Erasure, ErasureId, LedgerRow } from './model.ts';
import * as store from './store-requests.ts';
import { sealTraces } from './traces.ts';
import { bytesRows, openWalked, searchFor, Waits, type Walked } from './walking.ts';

async function notNoted(deps: ErasureDeps, walked: readonly Walked[]): Promise<Walked[]> {
  const fresh: Walked[] = [];
  for (const one of walked) {
    const ledger = await store.readLedger(deps.db.sql, one.target.id);
    if (ledger.length === 0) fresh.push(one);
  }
  return fresh;
}

/** Keeps some rows' own bytes and what the disk shows of the person now: to compare with later. */
async function noteRows(
  deps: ErasureDeps,
  tenant: TenantId,
  walked: readonly Walked[],
): Promise<readonly Walked[]> {
  const { db, keys, events, clock, afterStep } = deps;
  const fresh = await notNoted(deps, walked);
  if (fresh.length === 0) return walked;
  const rows = await events.rowsOf(
    tenant,
    fresh.flatMap(({ target }) => target.subjects),
  );
  for (const { erasure, target } of fresh) {
    const theirs = target.subjects.flatMap((subject) => rows.get(subject) ?? []);
    const traces = { ...target.traces, rows: theirs.map((row) => row.toString('base64')) };
    await store.writeSealed(db.sql, erasure.id, await sealTraces(keys, erasure, traces));
  }
  const opened = await openWalked(
    deps,
    walked.map(({ erasure }) => erasure),
  );
  const { seen } = await searchFor(deps, opened);
  for (const { target } of fresh) {
    const bytes = bytesRows(seen.get(target.id)).map((row) => ({ ...row, counted: row.remains }));
    await store.writeLedger(db.sql, target.id, bytes, clock.now());
  }
  await afterStep?.('rows-noted');
  return opened;
}

function ledgerOf(
  name: string,
  subjects: readonly SubjectId[],
  { before, after }: { before: Counts; after: Counts },
): Omit<LedgerRow, 'at'>[] {
  const sum = (counts: Counts, place: string) =>
    subjects.reduce((rows, subject) => rows + (counts.get(place)?.get(subject) ?? 0), 0);
  return [...new Set([...before.keys(), ...after.keys()])].map((place) => ({
    ...{ store: name, place },
    counted: sum(before, place),
    remains: sum(after, place),
  }));
}

/**
 * Empties every store of these people of one service.
 *
 * @throws Waits rows-left: a store still counts rows of theirs.
 */
export async function deleteRows(
  deps: ErasureDeps,
  tenant: TenantId,
  erasures: readonly Erasure[],
): Promise<void> {
  const { db, stores, hidden, clock, afterStep, log } = deps;
  const walked = await noteRows(deps, tenant, await openWalked(deps, erasures));
  const subjects = [...new Set(walked.flatMap(({ target }) => target.subjects))];
  const left = new Set<ErasureId>();
  for (const one of subjects.length > 0 ? stores : []) {
    // A row on its way into the archive would be in neither table while it is looked for.
    const { before, after } = await withEventTables(db, tenant, async () => {
      const counted = await one.count(tenant, subjects);
      await one.erase(tenant, subjects);
      return { before: counted, after: await one.count(tenant, subjects) };
    });
    for (const { target } of walked) {
      const rows = ledgerOf(one.name, target.subjects, { before, after });
      await store.writeLedger(db.sql, target.id, rows, clock.now());
      if (rows.some(({ remains }) => remains > 0)) left.add(target.id);
    }
    await afterStep?.('store-emptied');
  }
  for (const { target } of walked) {
    const dropped = target.subjects.reduce((sum, one) => sum + hidden.dropped(tenant, one), 0);
    const row = { store: 'inbox', place: 'dropped-on-the-way', counted: dropped, remains: 0 };
    if (dropped > 0) await store.writeLedger(db.sql, target.id, [row], clock.now());
  }
  for (const { id } of erasures.filter((erasure) => !left.has(erasure.id))) {
    const change = { state: 'deleted' as const, deletedAt: clock.now() };
    await store.changeErasure(db.sql, { id, from: ['shredded'] }, change);
  }
  log('subject.erased', { tenant, people: subjects.length });
  await afterStep?.('deleted');
  for (const id of left) await store.noteTrouble(db.sql, id, 'rows-left');
  if (left.size > 0) throw new Waits('rows-left');
}
