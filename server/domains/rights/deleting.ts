/** The rows of people whose keys are gone: noted, deleted store by store, counted again. */
import type { TenantId } from '#base/ids';
import { withEventTables } from '#core/tenancy';
import type { ErasureDeps } from './deps.ts';
import type { Counts, Erasure, ErasureId } from './model.ts';
import type { Target } from './search.ts';
import * as store from './store-requests.ts';
import { sealTraces } from './traces.ts';
import { bytesRows, openWalked, searchFor, someAtOnce, Waits, type Walked } from './walking.ts';

/** Keeps some rows' own bytes and what the disk shows of the person now: to compare with later. */
async function noteRows(
  deps: ErasureDeps,
  tenant: TenantId,
  walked: readonly Walked[],
): Promise<readonly Walked[]> {
  const { db, keys, events, clock, afterStep } = deps;
  const ledgers = await store.readLedgers(
    db.sql,
    walked.map(({ target }) => target.id),
  );
  const fresh = walked.filter(({ target }) => !ledgers.has(target.id));
  if (fresh.length === 0) return walked;
  const rows = await events.rowsOf(
    tenant,
    fresh.flatMap(({ target }) => target.subjects),
  );
  const noted = await someAtOnce(fresh, async ({ erasure, target }) => {
    const theirs = target.subjects.flatMap((subject) => rows.get(subject) ?? []);
    const traces = { ...target.traces, rows: theirs.map((row) => row.toString('base64')) };
    const sealed = await sealTraces(keys, erasure, traces);
    if (sealed) await store.writeSealed(db.sql, erasure.id, sealed);
    return { erasure, target: { ...target, traces } };
  });
  const { seen } = await searchFor(deps, noted);
  const found = noted.flatMap(({ target: { id } }) => bytesRows(id, seen.get(id)));
  const asFound = found.map((row) => ({ ...row, counted: row.remains }));
  await store.writeLedger(db.sql, asFound, clock.now());
  await afterStep?.('rows-noted');
  return [...walked.filter((one) => !fresh.includes(one)), ...noted];
}

function ledgerOf(
  name: string,
  { id: erasure, subjects }: Target,
  { before, after }: { before: Counts; after: Counts },
): store.LedgerEntry[] {
  const sum = (counts: Counts, place: string) =>
    subjects.reduce((rows, subject) => rows + (counts.get(place)?.get(subject) ?? 0), 0);
  return [...new Set([...before.keys(), ...after.keys()])].map((place) => ({
    erasure,
    store: name,
    place,
    counted: sum(before, place),
    remains: sum(after, place),
  }));
}

/** Rows that the mover left out, because their person was hidden while they waited. */
const droppedOf = ({ hidden }: ErasureDeps, tenant: TenantId, walked: readonly Walked[]) =>
  walked.flatMap(({ target: { id: erasure, subjects } }): store.LedgerEntry[] => {
    const counted = subjects.reduce((sum, one) => sum + hidden.dropped(tenant, one), 0);
    const row = { erasure, store: 'inbox', place: 'dropped-on-the-way', counted, remains: 0 };
    return counted > 0 ? [row] : [];
  });

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
  const { db, stores, clock, afterStep, log } = deps;
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
    const rows = walked.flatMap(({ target }) => ledgerOf(one.name, target, { before, after }));
    await store.writeLedger(db.sql, rows, clock.now());
    for (const { erasure, remains } of rows) if (remains > 0) left.add(erasure);
    await afterStep?.('store-emptied');
  }
  await store.writeLedger(db.sql, droppedOf(deps, tenant, walked), clock.now());
  const gone = erasures.map(({ id }) => id).filter((id) => !left.has(id));
  await store.noteDeleted(db.sql, gone, clock.now());
  log('subject.erased', { tenant, people: subjects.length });
  await afterStep?.('deleted');
  for (const id of left) await store.noteTrouble(db.sql, id, 'rows-left');
  if (left.size > 0) throw new Waits('rows-left');
}
