/** What the later steps of an erasure share: its traces opened, and one search for all of them. */
import { randomBytes } from 'node:crypto';
import { authorize } from '#core/policy';
import { type ErasureDeps, WALKER } from './deps.ts';
import type { Erasure, ErasureId } from './model.ts';
import { type Place, searchBytes, type Target } from './search.ts';
import { plantControl } from './store-controls.ts';
import { type LedgerEntry, readSealed, readSubjects } from './store-requests.ts';
import { controlKeyId, gatherTraces, openTraces } from './traces.ts';

/** An erasure does not get on, for a reason that has a word; it is tried again. */
export class Waits extends Error {
  readonly trouble: string;
  constructor(trouble: string) {
    super(trouble);
    this.trouble = trouble;
  }
}

export type Walked = {
  readonly erasure: Erasure;
  readonly target: Target;
};

/** Small enough that others find a connection free. */
const AT_ONCE = 6;

/** Does something for each item, some at a time: the keeper and the database share their commits. */
export async function someAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as Item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

export async function openWalked(
  { db, keys, policies }: ErasureDeps,
  erasures: readonly Erasure[],
): Promise<Walked[]> {
  const ids = erasures.map(({ id }) => id);
  const people = await readSubjects(db.sql, ids);
  const sealed = await readSealed(db.sql, ids);
  return someAtOnce(erasures, async (erasure) => {
    const { id, tenant } = erasure;
    const subjects = people.get(id) ?? [];
    const theirs = sealed.get(id);
    const permit = authorize(policies.inForce(tenant), WALKER, 'vault.open');
    const kept = theirs && (await openTraces(keys, permit, erasure, theirs));
    const traces = kept ?? (await gatherTraces(keys, tenant, { subjects }));
    return { erasure, target: { id, subjects, traces } };
  });
}

export type Searched = { readonly marker: string; readonly seen: Map<ErasureId, Place[]> };

/** Plants a new control everywhere, and looks for it and for all of these people. */
export async function searchFor(
  { db, keys, events, plant, places, clock }: ErasureDeps,
  walked: readonly Walked[],
): Promise<Searched> {
  const [first] = walked;
  if (!first) throw new Error('a search for nobody');
  const { tenant: one } = first.erasure;
  const marker = `troth-control-${randomBytes(12).toString('hex')}`;
  for (const tenant of new Set(walked.map(({ erasure }) => erasure.tenant))) {
    await events.plant(tenant, marker);
  }
  plant(marker);
  await plantControl(db, marker, clock.now());
  const seen = await searchBytes(
    places,
    walked.map(({ target }) => target),
    {
      marker,
      others: {
        keyring: await controlKeyId(keys, one),
        // Every entry names its tenant.
        'audit-log': Buffer.from(`"tenant":"${one}"`),
      },
    },
  );
  return { marker, seen };
}

/** What a search found, for the ledger; what was counted there before is not made less. */
export const bytesRows = (erasure: ErasureId, places: readonly Place[] = []): LedgerEntry[] =>
  places
    .filter(({ because }) => because !== 'elsewhere')
    .map(({ store: place, found }) => ({
      erasure,
      store: 'bytes',
      place,
      counted: 0,
      remains: found,
    }));
