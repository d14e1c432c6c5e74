/**
 * The first steps of an erasure, up to where nobody can read the person any more: recorded, in the
 * journal, hidden or without a key. Each may be repeated; the next start repeats the one that a
 * crash cut off.
 */
import type { SubjectId } from '#base/ids';
import { appendAudit, checkLogHealth } from '#core/audit';
import { authorize, type Permit } from '#core/policy';
import { type ErasureDeps, WALKER } from './deps.ts';
import { type Erasure, type KeysGone, lateUntil } from './model.ts';
import { changeErasure, readErasure, readSealed, readSubjects } from './store-requests.ts';
import { openTraces, type Traces } from './traces.ts';

/** Every number of a key that the person had; those of the two wrappings of one are the same. */
async function keysKnown(
  deps: ErasureDeps,
  erasure: Erasure,
  gathered: Traces | undefined,
): Promise<number> {
  const traces = gathered ?? (await sealedTraces(deps, erasure));
  return new Set(traces?.people.flatMap(({ keyIds }) => keyIds)).size;
}

/** Those of a demand that a crash or a deferral took out of memory. */
export async function sealedTraces(
  { db, keys, policies }: ErasureDeps,
  erasure: Erasure,
): Promise<Traces | undefined> {
  const sealed = (await readSealed(db.sql, [erasure.id])).get(erasure.id);
  if (!sealed) return undefined;
  const permit = authorize(policies.inForce(erasure.tenant), WALKER, 'vault.open');
  return openTraces(keys, permit, erasure, sealed);
}

async function destroyKeys(
  deps: ErasureDeps,
  permit: Permit<'subject.erase'>,
  { erasure, subjects, gathered }: Hiding & { readonly erasure: Erasure },
): Promise<KeysGone> {
  const until = lateUntil(deps.clock.now());
  const gone = await Promise.all(subjects.map((one) => deps.keys.destroy(permit, one, until)));
  return {
    destroyed: await keysKnown(deps, erasure, gathered),
    acknowledged: Math.max(0, ...gone.map(({ acknowledged }) => acknowledged)),
    cutOff: gone.reduce((sum, { cutOff }) => sum + cutOff, 0),
  };
}

/** What who has just taken the demand in knows already. */
type Hiding = { readonly subjects: readonly SubjectId[]; readonly gathered?: Traces | undefined };

/** Takes a recorded erasure to where nobody can read the person; returns it as it then stands. */
export async function hidePerson(
  deps: ErasureDeps,
  erasure: Erasure,
  fresh?: Hiding,
): Promise<Erasure> {
  const { db, journal, keys, policies, clock, afterStep } = deps;
  const { id, tenant, destroyAt } = erasure;
  if (erasure.state !== 'recorded') return erasure;
  const permit = authorize(policies.inForce(tenant), WALKER, 'subject.erase');
  // Before anything of it is done: what cannot be put on record waits, hidden as it is.
  await checkLogHealth(db.sql, tenant);
  const subjects = fresh?.subjects ?? (await readSubjects(db.sql, [id])).get(id) ?? [];
  const canBeUndone = destroyAt !== null && destroyAt > clock.now();
  const kind = canBeUndone ? ('subject.hidden' as const) : ('subject.erased' as const);
  await journal.append(subjects.map((subject) => ({ kind, tenant, at: clock.now(), subject })));
  await afterStep?.('journalled');
  if (canBeUndone) {
    for (const subject of subjects) await keys.quarantine(permit, subject, destroyAt);
  }
  const gone = canBeUndone
    ? undefined
    : await destroyKeys(deps, permit, { erasure, subjects, gathered: fresh?.gathered });
  await afterStep?.('hidden');
  const now = clock.now();
  const change = gone
    ? { state: 'shredded' as const, hiddenAt: now, keyDestroyedAt: now, keys: gone }
    : { state: 'hidden' as const, hiddenAt: now };
  await db.sql.begin(async (tx) => {
    if (!(await changeErasure(tx, { id, from: ['recorded'] }, change))) return;
    const event = gone ? 'subject-keys.destroyed' : 'subject.hidden';
    const fields = gone ? { keys: gone.destroyed } : {};
    const { subject } = erasure;
    await appendAudit(Object.assign(tx, { now }), permit, {
      event,
      fields,
      ...(subject ? { subject } : {}),
    });
  });
  return (await readErasure(db.sql, tenant, id)) ?? erasure;
}
