/** Taking in a demand for erasure, undoing it while it can be undone, and the holds against it. */
import { createHash, randomUUID } from 'node:crypto';
import { type Policy, parseDuration } from '@troth/policy-language';
import type { SubjectId, TenantId } from '#base/ids';
import { appendAudit } from '#core/audit';
import { NOBODY } from '#core/keys';
import { type Actor, authorize, type Permit, type PolicyInForce } from '#core/policy';
import { type ErasureDeps, WALKER } from './deps.ts';
import { rightsProblem } from './errors.ts';
import { hidePerson, sealedTraces } from './hiding.ts';
import { type Erasure, type ErasureId, type Found, lateUntil, type Wanted } from './model.ts';
import { hideSubjects, showSubjects } from './store-hidden.ts';
import { standingGround } from './store-holds.ts';
import {
  changeErasure,
  endRecovery,
  insertErasure,
  readEarlier,
  readErasure,
  readShredding,
  readSubjects,
  wakeWalkers,
} from './store-requests.ts';
import { gatherTraces, sealTraces, type Traces } from './traces.ts';

export type Asker = { readonly inForce: PolicyInForce; readonly actor: Actor };

/** The policy promises that a deletion is confirmed: then one that is not is refused. */
const asksConfirmation = (policy: Policy): boolean =>
  policy.promises.some(
    (promise) =>
      'control' in promise &&
      promise.control === 'erasure.request-checked' &&
      (promise.with as { check?: unknown } | undefined)?.check === 'confirmation',
  );

function checkConfirmed(policy: Policy, { confirm }: Wanted): void {
  if (confirm === false || (confirm === undefined && asksConfirmation(policy))) {
    throw rightsProblem('erasure-not-confirmed', 'send confirm: true; it cannot be undone later');
  }
}

/** Where the policy promises it, support says how it verified who asks. A server knows who asks. */
function checkVerified(policy: Policy, actor: Actor, { verified }: Wanted): void {
  const isAsked = policy.rights?.erasure?.verification === 'person';
  if (isAsked && actor.kind === 'operator' && verified === undefined) {
    throw rightsProblem('erasure-not-verified', 'send verified: how, in a word such as call-back');
  }
}

/** When it becomes final; null for at once. */
function destroyAtOf(policy: Policy, { complete }: Wanted, now: Date): Date | null {
  const recoverable = parseDuration(policy.rights?.erasure?.recoverable ?? 'P0D').milliseconds;
  return complete || recoverable === 0 ? null : new Date(now.getTime() + recoverable);
}

const digestOf = (tenant: TenantId, key: string) =>
  createHash('sha256').update(`${tenant}|${key}`).digest();

type Who = { readonly subject: SubjectId | null; readonly found: Found };

async function identify(deps: ErasureDeps, tenant: TenantId, wanted: Wanted): Promise<Who> {
  if (wanted.subject === NOBODY) {
    // Every row without a person carries this id: all of them would go.
    throw rightsProblem('erasure-body-broken', 'this id stands for nobody');
  }
  if (wanted.subject) return { subject: wanted.subject, found: 'known' };
  if (!wanted.handle) return { subject: null, found: 'unknown' };
  const who = await deps.keys.whois(tenant, wanted.handle);
  if (who === 'erased') return { subject: null, found: 'erased-before' };
  if (who === 'unknown') return { subject: null, found: 'unknown' };
  return { subject: who, found: 'known' };
}

type Recorded = { readonly id: ErasureId; readonly isNew: boolean };
type Fresh = { readonly subjects: readonly SubjectId[]; readonly gathered: Traces };

/** The request, who is hidden by it, and its audit entry: all, or nothing. */
async function record(
  deps: ErasureDeps,
  permit: Permit<'subject.erase'>,
  given: Who & { wanted: Wanted; destroyAt: Date | null; repeatKey: Buffer | null },
): Promise<Recorded & { fresh: Fresh }> {
  const { db, keys, clock } = deps;
  const { tenant, revision } = permit;
  const { subject, found, wanted, destroyAt, repeatKey } = given;
  const now = clock.now();
  const id = randomUUID() as string as ErasureId;
  const subjects = subject ? await keys.linked(tenant, subject) : [];
  const traces = await gatherTraces(keys, tenant, { handle: wanted.handle, subjects });
  const sealed = (await sealTraces(keys, { id, tenant, revision }, traces)) ?? null;
  const recorded: Recorded = await db.sql.begin(async (tx) => {
    const ground = await standingGround(tx, tenant, subjects, now);
    const state = ground ? 'held' : subject ? 'recorded' : 'shredded';
    const isNew = await insertErasure(tx, permit, {
      id,
      subject,
      found,
      subjects,
      repeatKey,
      sealed,
      now,
      state,
      ground,
      destroyAt: subject ? destroyAt : null,
      complete: wanted.complete ?? destroyAt === null,
      reason: wanted.reason ?? 'person-asked',
      verified: wanted.verified ?? null,
    });
    if (!isNew) {
      const earlier = await readEarlier(tx, tenant, { subject, repeatKey });
      if (!earlier) throw new Error('an erasure that is in the way is not there');
      return { id: earlier.id, isNew };
    }
    if (state === 'recorded') await hideSubjects(tx, tenant, subjects, lateUntil(destroyAt ?? now));
    await appendAudit(Object.assign(tx, { now }), permit, {
      event: ground ? 'erasure.held' : 'erasure.requested',
      fields: { people: subjects.length, undoable: destroyAt !== null },
      ...(subject ? { subject } : {}),
    });
    await wakeWalkers(tx);
    return { id, isNew };
  });
  return { ...recorded, fresh: { subjects, gathered: traces } };
}

async function known(deps: ErasureDeps, tenant: TenantId, id: ErasureId): Promise<Erasure> {
  const erasure = await readErasure(deps.db.sql, tenant, id);
  if (!erasure) throw rightsProblem('erasure-unknown', 'look at the id and the service');
  return erasure;
}

/** The one under way of who was called so: the keyring knows the name as that of somebody erased. */
async function shreddingOf(
  deps: ErasureDeps,
  tenant: TenantId,
  { handle }: Wanted,
): Promise<Erasure | undefined> {
  if (!handle) return undefined;
  const index = (await deps.keys.blindIndex(tenant, handle)).toString('base64');
  for (const erasure of await readShredding(deps.db.sql, tenant)) {
    const traces = await sealedTraces(deps, erasure);
    const names = traces?.people.flatMap(({ handles }) => handles) ?? [];
    if (traces?.index === index || names.includes(index)) return erasure;
  }
  return undefined;
}

/** Whoever may still come back no longer may: the demand says that it is final. */
async function complete(
  { db, clock }: ErasureDeps,
  permit: Permit<'subject.erase'>,
  { id, tenant, subject }: Erasure,
  wanted: Wanted,
): Promise<Erasure | undefined> {
  const [now, verified] = [clock.now(), wanted.verified ?? null];
  await db.sql.begin(async (tx) => {
    if (!(await endRecovery(tx, { id, verified, now }))) return;
    await appendAudit(Object.assign(tx, { now }), permit, {
      event: 'erasure.requested',
      fields: { undoable: false },
      ...(subject ? { subject } : {}),
    });
    await wakeWalkers(tx);
  });
  return readErasure(db.sql, tenant, id);
}

/**
 * Takes in a demand: durable, in the journal and hidden when it resolves; where nothing stands
 * against it and nothing is to be recoverable, the key is gone as well.
 *
 * Sent again (by its key, or for a person whose erasure is under way), it is the same erasure; one
 * that is to be complete ends the time in which the first could be undone.
 *
 * @throws Problem forbidden, erasure-not-confirmed, erasure-not-verified, repeat-key-reused,
 *         journal-not-durable, keeper-unavailable.
 */
export async function requestErasure(
  deps: ErasureDeps,
  { inForce, actor }: Asker,
  wanted: Wanted,
): Promise<{ erasure: Erasure; isNew: boolean }> {
  const { tenant, policy } = inForce;
  const permit = authorize(inForce, actor, 'subject.erase');
  checkConfirmed(policy, wanted);
  checkVerified(policy, actor, wanted);
  const repeatKey = wanted.repeatKey ? digestOf(tenant, wanted.repeatKey) : null;
  const who = await identify(deps, tenant, wanted);
  const open = await readEarlier(deps.db.sql, tenant, { subject: who.subject, repeatKey });
  const isGone = who.found === 'erased-before';
  const earlier = open ?? (isGone ? await shreddingOf(deps, tenant, wanted) : undefined);
  if (earlier && who.subject && earlier.subject !== who.subject) {
    throw rightsProblem('repeat-key-reused', 'it named somebody else; send another key');
  }
  if (earlier) {
    const meant = wanted.complete ? await complete(deps, permit, earlier, wanted) : earlier;
    return { erasure: await hidePerson(deps, meant ?? earlier), isNew: false };
  }
  const destroyAt = destroyAtOf(policy, wanted, deps.clock.now());
  const recorded = await record(deps, permit, { ...who, wanted, destroyAt, repeatKey });
  const { id, isNew, fresh } = recorded;
  await deps.afterStep?.('recorded');
  await deps.hidden.refresh();
  const found = await known(deps, tenant, id);
  return { erasure: await hidePerson(deps, found, isNew ? fresh : undefined), isNew };
}

/** Gives the person back what is left to do of an undoing. Safe to repeat. */
export async function finishUndoing(deps: ErasureDeps, erasure: Erasure): Promise<void> {
  const { db, journal, keys, policies, clock, hidden } = deps;
  const { id, tenant } = erasure;
  const permit = authorize(policies.inForce(tenant), WALKER, 'subject.erase');
  const subjects = (await readSubjects(db.sql, [id])).get(id) ?? [];
  const at = clock.now();
  await journal.append(
    subjects.map((subject) => ({ kind: 'subject.released' as const, tenant, at, subject })),
  );
  for (const subject of subjects) await keys.release(permit, subject);
  await db.sql.begin(async (tx) => {
    await showSubjects(tx, tenant, subjects);
    const from = ['undone'] as const;
    await changeErasure(tx, { id, from }, { state: 'undone', finishedAt: clock.now() });
  });
  await hidden.refresh();
}

/**
 * Undoes an erasure that is only hidden yet.
 *
 * @throws Problem erasure-unknown, erasure-not-undoable, forbidden.
 */
export async function undoErasure(
  deps: ErasureDeps,
  { inForce, actor }: Asker,
  id: ErasureId,
): Promise<Erasure> {
  const { db, clock } = deps;
  const { tenant } = inForce;
  const permit = authorize(inForce, actor, 'subject.erase');
  const erasure = await known(deps, tenant, id);
  const now = clock.now();
  const undoable = erasure.state === 'hidden' && erasure.destroyAt && erasure.destroyAt > now;
  if (!undoable && erasure.state !== 'undone') {
    throw rightsProblem('erasure-not-undoable', 'its time to be undone is over, or never was');
  }
  await db.sql.begin(async (tx) => {
    if (!(await changeErasure(tx, { id, from: ['hidden'] }, { state: 'undone' }))) return;
    const { subject } = erasure;
    await appendAudit(Object.assign(tx, { now }), permit, {
      event: 'erasure.undone',
      ...(subject ? { subject } : {}),
    });
  });
  const undone = await known(deps, tenant, id);
  if (undone.state !== 'undone') {
    throw rightsProblem('erasure-not-undoable', 'it has just become final');
  }
  if (undone.finishedAt === null) await finishUndoing(deps, undone);
  return known(deps, tenant, id);
}
