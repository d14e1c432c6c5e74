import { setTimeout as sleep } from 'node:timers/promises';
import type { Canary, Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, term, terms } from '#core/promises';
import { type Demand, followed, hasKey, shownOf, whois } from './demands.ts';
import { endOf, leave, TROUBLED_MS } from './erased.ts';
import { eventRows, sum, tableRows } from './stores.ts';

const AT_ONCE_MS = 5_000;
/** The purge begins behind the answer; a busy machine may take its time over it. */
const BEGUN_WITHIN_MS = 15_000;
const DONE_WITHIN_MS = 50_000;
const LOOK_EVERY_MS = 100;

/** Somebody whose events are stored, and what is known of them by then. */
async function somebody(look: Look): Promise<{ canary: Canary; subject: string; rows: number }> {
  const canary = await look.canaries.agreeing();
  await leave(look, canary);
  const subject = (await look.canaries.subjectOf('user', canary.userId)) ?? '';
  const rows = sum(await eventRows(look, [subject])) + sum(await tableRows(look, [subject]));
  return { canary, subject, rows };
}

/** An address of each place that documents set an age for, and one of no such place. */
const ADDRESSES: Readonly<Record<string, string>> = { EU: '141.20.1.1' };
const ELSEWHERE = '8.8.8.8';

/** From what age on somebody is no child, and where; without an address, everywhere. */
type Limit = { readonly years: number; readonly place?: string; readonly ip?: string | undefined };

function limitsOf({ policy }: Look): Limit[] {
  const { minimum = 0, regions = {} } = policy.age ?? {};
  const places = Object.entries(regions);
  if (places.length === 0) return [{ years: minimum }];
  const theirs = places.map(([place, years]) => ({ place, years, ip: ADDRESSES[place] }));
  return [{ years: minimum, place: 'elsewhere', ip: ELSEWHERE }, ...theirs];
}

const named = ({ place, years }: Limit) => (place ? `${years} (${place})` : String(years));

/** Says of somebody how old they are, with an event that is otherwise as any. */
async function sayAge(look: Look, canary: Canary, said: Pick<Limit, 'years' | 'ip'>) {
  const { canaries } = look;
  const [type = ''] = canaries.eventTypes;
  const context = { age: said.years, ...(said.ip !== undefined && { ip: said.ip }) };
  const { status } = await canaries.send([{ ...canaries.event(type, canary), context }]);
  if (status !== 200 && status !== 207) throw new Error('an age was not taken in');
}

/** The demand that the service made by itself. */
async function demandFor({ sql, tenant, signal }: Look, subject: string) {
  for (const end = performance.now() + BEGUN_WITHIN_MS; ; ) {
    const [found] = await sql<{ id: string; reason: string; complete: boolean }[]>`
      select id::text as id, reason, complete
      from troth.erasures
      where tenant = ${tenant} and subject = ${subject}::uuid`;
    if (found || performance.now() > end) return found;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

type Purged = {
  readonly limit: Limit;
  readonly rows: number;
  readonly demand: { readonly reason: string; readonly complete: boolean } | undefined;
  /** When the key was gone and nothing was shown any more; `undefined` when not in five seconds. */
  readonly hiddenMs: number | undefined;
  /** How long the ledger says that it took; `undefined` while it does not say that it is done. */
  readonly recordedMs: number | undefined;
  /** Looked at after the ledger said so. */
  readonly isGone: boolean;
  readonly state: string;
  readonly left: number;
  readonly adultStays: boolean;
};

/** Whether nobody can read them any more. */
async function isGone(look: Look, canary: Canary, subject: string): Promise<boolean> {
  const hasNoKey = (await whois(look, canary)) === 'erased' && !(await hasKey(look, [subject]));
  return hasNoKey && (await shownOf(look, canary)).receipts === 0;
}

async function hidden(look: Look, canary: Canary, subject: string): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < AT_ONCE_MS) {
    if (await isGone(look, canary, subject)) return Math.round(performance.now() - began);
    await sleep(LOOK_EVERY_MS, undefined, { signal: look.signal });
  }
  return undefined;
}

const recordedOf = (demand: Demand | undefined): number | undefined =>
  demand?.keyDestroyedAt
    ? Date.parse(demand.keyDestroyedAt) - Date.parse(demand.requestedAt)
    : undefined;

/** Two people of one place, between whom the limit there stands. */
async function purge(look: Look, limit: Limit): Promise<Purged> {
  const [child, adult] = await Promise.all([somebody(look), somebody(look)]);
  await sayAge(look, child.canary, { ...limit, years: limit.years - 1 });
  await sayAge(look, adult.canary, limit);
  const hiddenMs = await hidden(look, child.canary, child.subject);
  const demand = await demandFor(look, child.subject);
  const isEnd = endOf(TROUBLED_MS);
  // With its key it will not be done: then only what the ledger says of the key counts.
  const is = (one: Demand) => isEnd(one) || (hiddenMs === undefined && one.keyDestroyedAt !== null);
  const followedTo = demand && (await followed(look, demand.id, { is, withinMs: DONE_WITHIN_MS }));
  const left = await Promise.all(
    [eventRows, tableRows].map((count) => count(look, [child.subject])),
  );
  return {
    limit,
    rows: child.rows,
    demand,
    hiddenMs,
    recordedMs: recordedOf(followedTo),
    isGone: await isGone(look, child.canary, child.subject),
    state: followedTo?.state ?? 'none',
    left: left.reduce((all, rows) => all + sum(rows), 0),
    adultStays: (await hasKey(look, [adult.subject])) && adult.rows > 0,
  };
}

/** The server's own times count: those of a busy prover say nothing about it. */
function lateness({ recordedMs, hiddenMs, isGone: is }: Purged): Seen | undefined {
  if (recordedMs !== undefined && recordedMs > AT_ONCE_MS) {
    return broken(saw`a child's key was there for ${span(recordedMs)} after the report`);
  }
  if (recordedMs !== undefined && !is) {
    return broken(saw`a child's key was still there after it was on record as gone`);
  }
  if (hiddenMs !== undefined) return undefined;
  return recordedMs === undefined
    ? gap(saw`the purge of a child had not come to its key when the time was over`)
    : gap(saw`the look at a child's key took more than ${span(AT_ONCE_MS)}`);
}

const purged = (look: Look): Promise<Purged[]> =>
  look.once('purged', (whole) => Promise.all(limitsOf(whole).map((limit) => purge(whole, limit))));

/** What is wrong at one limit, or could not be seen there. */
function judge(scene: Purged): Seen | undefined {
  const { limit, rows, demand, state, left, adultStays } = scene;
  const age = term(named(limit));
  if (rows === 0) return gap(saw`the canaries left nothing that could be looked for`);
  if (!adultStays) return broken(saw`somebody of ${age} years, who is old enough, was purged too`);
  if (!demand) return broken(saw`a child under ${age} was reported, and no erasure began`);
  if (demand.reason !== 'under-age') return broken(saw`the ledger does not say why`);
  if (!demand.complete) return broken(saw`the purge of a child can be undone`);
  const late = lateness(scene);
  if (late) return late;
  if (state === 'done' && left > 0) return broken(saw`${left} rows of a child are still there`);
  if (state !== 'done') return gap(saw`the purge was under way when the time was over`);
  return undefined;
}

export const minor = defineProof({
  control: 'erasure.minor',
  strength: 'stored-bytes',
  blindTo:
    'A child of whom nobody says the age: nothing is guessed; whose country is not known, and who is then judged by the strictest age.',
  prepare: purged,
  async prove(look, { setting }) {
    const says = setting === 'age.below' ? look.policy.age?.below : undefined;
    if (says !== 'purge') return gap(saw`the policy does not publish that children are purged`);
    const limits = limitsOf(look);
    const unseen = limits.filter(({ place, ip }) => place && !ip).map(named);
    if (unseen.length > 0) return gap(saw`nobody could be sent from ${terms(unseen)}`);
    const scenes = await purged(look);
    const found = scenes.flatMap((scene) => judge(scene) ?? []);
    const wrong = found.find(({ state }) => state === 'broken') ?? found[0];
    if (wrong) return wrong;
    const rows = scenes.reduce((all, scene) => all + scene.rows, 0);
    const slowest = Math.max(...scenes.map(({ hiddenMs = 0 }) => hiddenMs));
    return kept(
      saw`canaries who were said to be a year too young could not be read after ${span(slowest)}, and ${rows} rows were gone when the purge was done; who was of age stays: ${terms(limits.map(named))}`,
    );
  },
});
