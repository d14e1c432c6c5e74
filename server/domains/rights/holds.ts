/** Holds: a published ground on which nothing of a person is destroyed for now. */
import { randomUUID } from 'node:crypto';
import type { SubjectId } from '#base/ids';
import { appendAudit } from '#core/audit';
import type { Handle } from '#core/keys';
import { authorize } from '#core/policy';
import type { ErasureDeps } from './deps.ts';
import { rightsProblem } from './errors.ts';
import type { Ground } from './model.ts';
import type { Asker } from './requests.ts';
import * as store from './store-holds.ts';
import { wakeWalkers } from './store-requests.ts';

export type HoldAsked = {
  readonly handle?: Handle | undefined;
  readonly subject?: SubjectId | undefined;
  readonly ground: Ground;
};

/**
 * Places a hold: an erasure asked for from here on waits. One that destroyed its key is not undone.
 *
 * @throws Problem hold-without-ground: the policy publishes no exception to erasure.
 * @throws Problem hold-unknown: nobody of this name is known.
 */
export async function placeHold(
  deps: ErasureDeps,
  { inForce, actor }: Asker,
  { handle, subject: given, ground }: HoldAsked,
): Promise<store.Hold> {
  const { db, keys, journal, clock } = deps;
  const { tenant, policy } = inForce;
  const permit = authorize(inForce, actor, 'hold.place');
  if (!policy.rights?.erasure?.unless?.length) {
    throw rightsProblem('hold-without-ground', 'declare it under rights.erasure.unless first');
  }
  const subject = given ?? (handle ? await keys.whois(tenant, handle) : 'unknown');
  if (subject === 'unknown' || subject === 'erased') {
    throw rightsProblem('hold-unknown', 'nobody of this name is known here');
  }
  const now = clock.now();
  await journal.append([{ kind: 'hold.placed', tenant, at: now, subject, ground }]);
  return db.sql.begin(async (tx) => {
    const hold = await store.insertHold(tx, permit, { id: randomUUID(), subject, ground, now });
    await appendAudit(Object.assign(tx, { now }), permit, { event: 'hold.placed', subject });
    return hold;
  });
}

/** Lifts a hold; an erasure that waited for it goes on. @throws Problem hold-unknown. */
export async function liftHold(
  deps: ErasureDeps,
  { inForce, actor }: Asker,
  id: string,
): Promise<store.Hold> {
  const { db, journal, clock } = deps;
  const { tenant } = inForce;
  const permit = authorize(inForce, actor, 'hold.place');
  const now = clock.now();
  const lifted = await db.sql.begin(async (tx) => {
    const hold = await store.liftHold(tx, permit, { id, now });
    if (!hold) throw rightsProblem('hold-unknown', 'it was lifted, or never placed');
    const { subject } = hold;
    await appendAudit(Object.assign(tx, { now }), permit, { event: 'hold.lifted', subject });
    await wakeWalkers(tx);
    return hold;
  });
  const { subject, ground } = lifted;
  await journal.append([{ kind: 'hold.lifted', tenant, at: now, subject, ground }]);
  return lifted;
}
