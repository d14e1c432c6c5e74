import type { Look } from '#core/looking';
import {
  broken,
  defineProof,
  gap,
  kept,
  type Seen,
  saw,
  term,
  terms,
  wordsOf,
} from '#core/promises';
import { asksEngine, loginsOf, read, refusalsOf, unfilled, unreadFor } from './reading.ts';

const CODE = 'purpose-not-for-data';

/** Asks the service's own door for it under a purpose that it is not for; one a time, by lot. */
async function asksDoor(
  at: Look,
  data: string,
  strangers: readonly string[],
): Promise<Seen | undefined> {
  const purpose = strangers[Math.floor(Math.random() * strangers.length)];
  if (purpose === undefined) return undefined;
  const before = await refusalsOf(at, CODE);
  const { status, code } = await read(at, data, purpose);
  if (status !== 403 || code !== CODE)
    return broken(saw`a reading of ${term(data)} for ${term(purpose)} was answered ${status}`);
  if ((await refusalsOf(at, CODE)) <= before)
    return broken(saw`the refusal of ${term(data)} for ${term(purpose)} left no entry`);
  return undefined;
}

/** Asks for one type under every purpose of the policy. @returns how many were refused it. */
async function ask(at: Look, data: string, allowed: readonly string[]): Promise<Seen | number> {
  const logins = await loginsOf(at);
  const declared = at.policy.data[data]?.purposes ?? [];
  if (declared.length === 0 || declared.some((purpose) => !allowed.includes(purpose)))
    return broken(saw`${term(data)} is declared for other purposes than ${terms(allowed)}`);
  const unread = await unreadFor(at, data, declared);
  if (!unread) return gap(saw`the canary in ${term(data)} could not be read back`);
  if (unread.length > 0)
    return broken(saw`${term(data)} does not come back as it should for ${terms(unread)}`);
  const strangers = Object.keys(at.policy.purposes).filter((id) => !declared.includes(id));
  for (const purpose of Object.keys(at.policy.purposes)) {
    const login = logins.get(purpose);
    if (login === undefined) return gap(saw`${term(purpose)} has no login in the event store`);
    const engine = await asksEngine(at, login, data);
    if (engine === 'table open')
      return broken(saw`the login of ${term(purpose)} reads the table itself`);
    if (engine === 'shown' && strangers.includes(purpose))
      return broken(saw`the event store shows ${term(data)} for ${term(purpose)}`);
  }
  return (await asksDoor(at, data, strangers)) ?? strangers.length;
}

export const boundReads = defineProof({
  control: 'purpose.bound-reads',
  strength: 'protocol',
  blindTo: 'What somebody does with data after reading it for a purpose that is allowed.',
  async prove(at, { data, purposes }) {
    const types = wordsOf(data);
    const empty = unfilled(at, types);
    if (empty) return empty;
    let refused = 0;
    for (const type of types) {
      const seen = await ask(at, type, purposes as readonly string[]);
      if (typeof seen !== 'number') return seen;
      refused += seen;
    }
    return kept(
      saw`${terms(types)} came back for ${terms(purposes as string[])}; the event store hid them from ${refused} of ${refused} other logins, and a refusal is on record`,
    );
  },
});
