/**
 * What the forget journal says is made true again, before the first request is served: a database
 * that was restored has forgotten who is to be forgotten.
 */
import { randomUUID } from 'node:crypto';
import { parseDuration } from '@troth/policy-language';
import type { SubjectId, TenantId } from '#base/ids';
import { appendReplayed, type Forgotten } from '#core/audit';
import { authorize, type PolicyInForce } from '#core/policy';
import { type ErasureDeps, WALKER } from './deps.ts';
import { rightsProblem } from './errors.ts';
import { type ErasureId, GROUNDS, type Ground, lateUntil } from './model.ts';
import { hideSubjects } from './store-hidden.ts';
import { insertHold, liftStanding } from './store-holds.ts';
import { readHeard, readSpared, writeHeard } from './store-journal.ts';
import { insertErasure, isForgotten } from './store-requests.ts';
import { gatherTraces, sealTraces } from './traces.ts';

export type Replayed = { erasures: number; holds: number; withdrawals: number };

export type ReplayDeps = ErasureDeps & {
  /** Everything the journal holds, oldest first. */
  readonly entries: readonly Forgotten[];
  /** Withdrawals of consent are the consent domain's. */
  readonly replayWithdrawals: (tenant: TenantId, some: readonly Forgotten[]) => Promise<number>;
};

type Person = { readonly tenant: TenantId; readonly subject: SubjectId };

/** What is last said of each person: a deletion that was undone is none. */
function lastWords(entries: readonly Forgotten[]): (Person & { kind: Forgotten['kind'] })[] {
  const last = new Map<string, Person & { kind: Forgotten['kind'] }>();
  for (const { kind, tenant, subject } of entries) {
    if (!subject || !kind.startsWith('subject.')) continue;
    const name = `${tenant} ${subject}`;
    // Whoever was erased stays so: an id is never given twice.
    if (last.get(name)?.kind !== 'subject.erased') last.set(name, { kind, tenant, subject });
  }
  return [...last.values()];
}

/** A demand as the journal remembers it: with nothing of what was asked but who and when. */
async function recordAgain(
  deps: ErasureDeps,
  inForce: PolicyInForce,
  { subject, isFinal }: { subject: SubjectId; isFinal: boolean },
): Promise<void> {
  const { db, keys, clock } = deps;
  const { tenant, revision, policy } = inForce;
  const permit = authorize(inForce, WALKER, 'subject.erase');
  const now = clock.now();
  const id = randomUUID() as string as ErasureId;
  const traces = await gatherTraces(keys, tenant, { subjects: [subject] });
  const sealed = (await sealTraces(keys, { id, tenant, revision }, traces)) ?? null;
  const recoverable = parseDuration(policy.rights?.erasure?.recoverable ?? 'P0D').milliseconds;
  const destroyAt = isFinal ? null : new Date(now.getTime() + recoverable);
  await db.sql.begin(async (tx) => {
    const isNew = await insertErasure(tx, permit, {
      id,
      subject,
      found: 'known',
      subjects: [subject],
      repeatKey: null,
      sealed,
      now,
      state: 'recorded',
      ground: null,
      destroyAt,
      complete: isFinal,
      reason: 'replayed',
      verified: null,
    });
    if (!isNew) return;
    await hideSubjects(tx, tenant, [subject], lateUntil(destroyAt ?? now));
    const act = { event: 'erasure.replayed', subject, fields: { undoable: !isFinal } } as const;
    await appendReplayed(Object.assign(tx, { now }), permit, act);
  });
}

async function replayPeople(
  deps: ReplayDeps,
  entries: readonly Forgotten[],
  again: boolean,
): Promise<number> {
  let erasures = 0;
  for (const { kind, tenant, subject } of lastWords(entries)) {
    const inForce = deps.policies.find(tenant);
    if (!inForce || kind === 'subject.released') continue;
    const isFinal = kind === 'subject.erased';
    if (!again && (await isForgotten(deps.db.sql, tenant, { subject, isFinal }))) continue;
    await recordAgain(deps, inForce, { subject, isFinal });
    erasures++;
  }
  return erasures;
}

const isGround = (word: string | undefined): word is Ground =>
  GROUNDS.some((ground) => ground === word);

async function replayHolds(deps: ReplayDeps, entries: readonly Forgotten[]): Promise<number> {
  const { db, policies } = deps;
  let holds = 0;
  for (const { kind, tenant, subject, ground, at, until, digest } of entries) {
    const inForce = policies.find(tenant);
    if (!inForce || !subject || !isGround(ground)) continue;
    const permit = authorize(inForce, WALKER, 'hold.place');
    if (kind === 'hold.placed') {
      const ends = until === undefined ? null : new Date(until);
      const hold = { subject, ground, until: ends, assessment: digest ?? null, approver: null };
      await insertHold(db.sql, permit, { ...hold, id: randomUUID(), now: at });
    } else if (kind === 'hold.lifted') {
      await liftStanding(db.sql, permit, { subject, ground, now: at });
    } else continue;
    holds++;
  }
  return holds;
}

async function replayConsents(
  { policies, replayWithdrawals }: ReplayDeps,
  entries: readonly Forgotten[],
): Promise<number> {
  const withdrawn = entries.filter(({ kind }) => kind === 'consent.withdrawn');
  let missing = 0;
  for (const tenant of new Set(withdrawn.map((entry) => entry.tenant))) {
    if (!policies.find(tenant)) continue;
    const theirs = withdrawn.filter((entry) => entry.tenant === tenant);
    missing += await replayWithdrawals(tenant, theirs);
  }
  return missing;
}

/**
 * Replays what this database has not heard. Everything in it may be replayed twice without harm.
 *
 * Destroyed keys need nothing: the keyring is never restored to an earlier time. Canaries of proofs
 * whose demands were removed are left out. While a service's log is damaged its people are hidden all
 * the same; only their keys wait for it.
 *
 * @param options.again  All of it, also of people whose erasure is on record as done: for a restore
 *                       of the event store beside a database that was not restored.
 * @throws Problem journal-shorter: entries that this database has heard are gone from the journal.
 */
export async function replayForgotten(
  deps: ReplayDeps,
  { again = false }: { again?: boolean } = {},
): Promise<Replayed> {
  const { entries, db, clock } = deps;
  const heard = await readHeard(db.sql);
  if (heard > entries.length) {
    throw rightsProblem(
      'journal-shorter',
      `it held ${heard} entries and holds ${entries.length}: bring back forget.journal`,
    );
  }
  const spared = await readSpared(db.sql);
  const fresh = entries
    .slice(again ? 0 : heard)
    .filter(({ tenant, subject }) => !spared.has(`${tenant} ${subject}`));
  // Holds first: what is held must not be destroyed.
  const holds = await replayHolds(deps, fresh);
  const withdrawals = await replayConsents(deps, fresh);
  const erasures = await replayPeople(deps, fresh, again);
  await writeHeard(db.sql, entries.length, clock.now());
  await deps.hidden.refresh();
  return { erasures, holds, withdrawals };
}
