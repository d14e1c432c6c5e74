import type { TenantId } from '#base/ids';
import type { Database } from '#platform/database';
import { APPLY_LOCK } from './store.ts';

const turns = new WeakMap<Database, Promise<unknown>>();

/**
 * One after the other within this process: each holds a connection while it waits for the lock, and
 * enough of them would leave none for the one that has it.
 */
function inTurn<T>(db: Database, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(db) ?? Promise.resolve()).then(work, work);
  turns.set(db, turn);
  return turn;
}

/** Does the work while no server changes what is in force for this service. */
export function aloneInPolicy<T>(
  db: Database,
  tenant: TenantId,
  work: () => Promise<T>,
): Promise<T> {
  return inTurn(db, async () => {
    const held = await db.admin.reserve();
    try {
      await held`select pg_advisory_lock(${APPLY_LOCK}, hashtext(${tenant}))`;
      return await work();
    } finally {
      await held`select pg_advisory_unlock(${APPLY_LOCK}, hashtext(${tenant}))`;
      held.release();
    }
  });
}
