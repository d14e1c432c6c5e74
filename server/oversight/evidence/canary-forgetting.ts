/** Canaries are forgotten after the proofs: their keys, their decisions, what was asked for them. */
import type { SubjectId } from '#base/ids';
import type { PolicyInForce } from '#core/policy';
import { inTenant } from '#core/tenancy';
import { namesOf } from './canary-people.ts';
import * as store from './canary-store.ts';
import type { Ground } from './ground.ts';

/** So many are looked for of a prover that died and told nobody how many there were. */
const PEOPLE_OF_DEAD_MAX = 2_000;
/** Names in one call to the keeper. */
const AT_ONCE = 5_000;
const DESTROYED_AT_ONCE = 50;

/** What forgetting works on. */
export type Forgetting = Pick<Ground, 'sql' | 'login' | 'events' | 'keys' | 'keeper' | 'services'>;

type Tenant = PolicyInForce['tenant'];

async function known(
  ground: Forgetting,
  tenant: Tenant,
  seeded: store.Seeded,
): Promise<SubjectId[]> {
  const { keys, keeper } = ground;
  const indexes: string[] = [];
  for (let at = 0; at < (seeded.people ?? PEOPLE_OF_DEAD_MAX); at++) {
    const { userId, anonymousId } = namesOf(Buffer.from(seeded.seed), at);
    for (const handle of [
      { kind: 'user', value: userId },
      { kind: 'anonymous', value: anonymousId },
    ] as const) {
      indexes.push((await keys.blindIndex(tenant, handle)).toString('base64'));
    }
  }
  const found = new Set(seeded.subjects);
  for (let from = 0; from < indexes.length; from += AT_ONCE) {
    const handles = indexes.slice(from, from + AT_ONCE);
    for (const who of await keeper.call('whois', { tenant, handles, at: Date.now() })) {
      if (typeof who === 'object') found.add(who.subject as SubjectId);
    }
  }
  return [...found];
}

/** Destroys their keys, without a stone: nothing of theirs comes late. */
async function destroyKeys(
  { keeper }: Forgetting,
  tenant: Tenant,
  subjects: readonly SubjectId[],
): Promise<void> {
  for (let from = 0; from < subjects.length; from += DESTROYED_AT_ONCE) {
    const at = Date.now();
    await Promise.all(
      subjects
        .slice(from, from + DESTROYED_AT_ONCE)
        .map((subject) => keeper.call('destroy', { tenant, subject, at, lateUntil: at })),
    );
  }
}

async function forgetPeople(
  ground: Forgetting,
  tenant: Tenant,
  seeded: readonly store.Seeded[],
): Promise<void> {
  const { sql, login } = ground;
  const people = await Promise.all(seeded.map((one) => known(ground, tenant, one)));
  const subjects = [...new Set(people.flat())];
  if (subjects.length === 0) return;
  const eraser = { tenant, role: 'troth_eraser', now: new Date() } as const;
  await inTenant(login, eraser, (tx) => store.removeRows(tx, subjects));
  await destroyKeys(ground, tenant, subjects);
  await store.removeDemands(sql, tenant, subjects);
}

/**
 * Removes what canaries left of every prover that lives no more, however it ended, and some
 * minutes later once more what was on its way then. Twice, or by two at once, is harmless.
 */
export async function forgetCanaries(ground: Forgetting): Promise<void> {
  const { sql, services } = ground;
  const ended = await store.readEnded(sql);
  for (const service of services) {
    const theirs = ended.filter(({ tenant }) => tenant === service.tenant);
    if (theirs.length === 0) continue;
    const seeds = theirs.map(({ seed }) => seed);
    await store.removeEvents(ground, service, seeds);
    await forgetPeople(ground, service.tenant, theirs);
    await store.noteRemoved(sql, seeds);
    await store.dropSeeds(
      sql,
      theirs.filter(({ again }) => again).map(({ seed }) => seed),
    );
  }
}

/** Ends a round: what its canaries left is removed at once. */
export async function endRound(ground: Ground): Promise<void> {
  for (const { tenant } of ground.services) {
    const { seed, count } = ground.people(tenant);
    await store.notePeople(ground.sql, seed, count());
  }
  await ground.release();
  await forgetCanaries(ground);
}
