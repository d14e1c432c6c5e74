import { setTimeout as sleep } from 'node:timers/promises';
import type { Canary, Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span } from '#core/promises';
import { followed, hasKey, shownOf, whois } from './demands.ts';
import { endOf, leave, TROUBLED_MS } from './erased.ts';
import { eventRows, sum, tableRows } from './stores.ts';

const AT_ONCE_MS = 5_000;
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

/** Says of somebody how old they are, with an event that is otherwise as any. */
async function sayAge({ canaries }: Look, canary: Canary, age: number): Promise<void> {
  const [type = ''] = canaries.eventTypes;
  const { status } = await canaries.send([{ ...canaries.event(type, canary), context: { age } }]);
  if (status >= 500) throw new Error('nobody listened');
}

/** The demand that the service made by itself. */
async function demandFor({ sql, tenant, signal }: Look, subject: string) {
  for (const end = performance.now() + AT_ONCE_MS; ; ) {
    const [found] = await sql<{ id: string; reason: string; complete: boolean }[]>`
      select id::text as id, reason, complete
      from troth.erasures
      where tenant = ${tenant} and subject = ${subject}::uuid`;
    if (found || performance.now() > end) return found;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

type Purged = {
  readonly rows: number;
  readonly demand: { readonly reason: string; readonly complete: boolean } | undefined;
  /** When the key was gone and nothing was shown any more; `undefined` when not in five seconds. */
  readonly hiddenMs: number | undefined;
  readonly state: string;
  readonly left: number;
  readonly adultStays: boolean;
};

async function hidden(look: Look, canary: Canary, subject: string): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < AT_ONCE_MS) {
    const isGone = (await whois(look, canary)) === 'erased' && !(await hasKey(look, [subject]));
    if (isGone && (await shownOf(look, canary)).receipts === 0) {
      return Math.round(performance.now() - began);
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: look.signal });
  }
  return undefined;
}

async function purge(look: Look): Promise<Purged> {
  const { minimum = 0, regions = {} } = look.policy.age ?? {};
  const [child, adult] = await Promise.all([somebody(look), somebody(look)]);
  // Under the limit of every region, and of age in every region.
  await sayAge(look, child.canary, Math.min(minimum, ...Object.values(regions)) - 1);
  await sayAge(look, adult.canary, Math.max(minimum, ...Object.values(regions)));
  const hiddenMs = await hidden(look, child.canary, child.subject);
  const demand = await demandFor(look, child.subject);
  const is = endOf(TROUBLED_MS);
  const withinMs = hiddenMs === undefined ? 0 : DONE_WITHIN_MS;
  const followedTo = demand && (await followed(look, demand.id, { is, withinMs }));
  const left = await Promise.all(
    [eventRows, tableRows].map((count) => count(look, [child.subject])),
  );
  return {
    rows: child.rows,
    demand,
    hiddenMs,
    state: followedTo?.state ?? 'none',
    left: left.reduce((all, rows) => all + sum(rows), 0),
    adultStays: (await hasKey(look, [adult.subject])) && adult.rows > 0,
  };
}

const purged = (look: Look): Promise<Purged> => look.once('purged', purge);

export const minor = defineProof({
  control: 'erasure.minor',
  strength: 'stored-bytes',
  blindTo: 'A child of whom nobody says the age: nothing is guessed.',
  prepare: purged,
  async prove(look, { setting }) {
    const says = setting === 'age.below' ? look.policy.age?.below : undefined;
    if (says !== 'purge') return gap(saw`the policy does not publish that children are purged`);
    const { rows, demand, hiddenMs, state, left, adultStays } = await purged(look);
    if (rows === 0) return gap(saw`the canaries left nothing that could be looked for`);
    if (!adultStays) return broken(saw`somebody who is old enough was purged too`);
    if (!demand) return broken(saw`a child was reported, and no erasure began`);
    if (demand.reason !== 'under-age') return broken(saw`the ledger does not say why`);
    if (!demand.complete) return broken(saw`the purge of a child can be undone`);
    if (hiddenMs === undefined) {
      return broken(saw`a child's key was still there after ${span(AT_ONCE_MS)}`);
    }
    if (state === 'done' && left > 0) return broken(saw`${left} rows of a child are still there`);
    if (state !== 'done') return gap(saw`the purge was under way when the time was over`);
    return kept(
      saw`a canary whose age was said to be under the limit could not be read after ${span(hiddenMs)}, and ${rows} rows were gone when the purge was done; one of age stays`,
    );
  },
});
