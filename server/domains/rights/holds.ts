/** Holds: a published ground on which nothing of a person is destroyed for now. */
import { randomUUID } from 'node:crypto';
import type { SubjectId } from '#base/ids';
import { appendAudit } from '#core/audit';
import type { Handle } from '#core/keys';
import { authorize } from '#core/policy';
import type { ErasureDeps } from './deps.ts';
import { rightsProblem } from './errors.ts';
import { type Ground, publishedGrounds } from './model.ts';
import type { Asker } from './requests.ts';
import * as store from './store-holds.ts';
import { wakeWalkers } from './store-requests.ts';

export type HoldAsked = {
  readonly handle?: Handle | undefined;
  readonly subject?: SubjectId | undefined;
  readonly ground: Ground;
  readonly until?: Date | undefined;
  readonly approver?: string | undefined;
  readonly assessment?: string | undefined;
};

/** What a contract needs ends with it; an interest is weighed, in writing, by somebody. */
function checkComplete({ ground, until, approver, assessment }: HoldAsked, now: Date): void {
  const complain = (what: string) => rightsProblem('hold-incomplete', what);
  if (until && until <= now) throw complain('until has to lie ahead');
  if (ground === 'contract' && !until) throw complain('say until when the contract needs the data');
  if (ground === 'legitimate-interest' && !(approver && assessment)) {
    throw complain('name the approver, and the SHA-256 of the written balancing test');
  }
}

/**
 * Places a hold: an erasure asked for from here on waits. One that destroyed its key is not undone.
 *
 * @throws Problem hold-without-ground: the policy publishes no such exception to erasure.
 * @throws Problem hold-incomplete: a contract's has no end, an interest's no balancing test.
 * @throws Problem hold-unknown: nobody of this name is known.
 */
export async function placeHold(
  deps: ErasureDeps,
  { inForce, actor }: Asker,
  asked: HoldAsked,
): Promise<store.Hold> {
  const { db, keys, journal, clock } = deps;
  const { tenant, policy } = inForce;
  const { handle, subject: given, ground, until, approver = null, assessment = null } = asked;
  const permit = authorize(inForce, actor, 'hold.place');
  if (!publishedGrounds(policy).includes(ground)) {
    throw rightsProblem('hold-without-ground', 'declare it under rights.erasure.unless first');
  }
  const now = clock.now();
  checkComplete(asked, now);
  const subject = given ?? (handle ? await keys.whois(tenant, handle) : 'unknown');
  if (subject === 'unknown' || subject === 'erased') {
    throw rightsProblem('hold-unknown', 'nobody of this name is known here');
  }
  const told = {
    ...(until ? { until: until.toISOString() } : {}),
    ...(assessment ? { digest: assessment } : {}),
  };
  await journal.append([{ kind: 'hold.placed', tenant, at: now, subject, ground, ...told }]);
  return db.sql.begin(async (tx) => {
    const held = { subject, ground, until: until ?? null, approver, assessment };
    const hold = await store.insertHold(tx, permit, { ...held, id: randomUUID(), now });
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
