/** The last steps: deleted rows leave the files, the disk is searched, the certificate is signed. */
import { setTimeout as wait } from 'node:timers/promises';
import { appendAudit } from '#core/audit';
import { authorize } from '#core/policy';
import { schemaOf } from '#core/tenancy';
import { purgeDeleted } from '#platform/database';
import { signCertificate } from './certificate.ts';
import { type ErasureDeps, WALKER } from './deps.ts';
import type { Erasure, ErasureId, LedgerRow } from './model.ts';
import { isHandleSearched, type Place } from './search.ts';
import * as store from './store-requests.ts';
import { destroyTraces } from './traces.ts';
import { bytesRows, openWalked, searchFor, someAtOnce, Waits, type Walked } from './walking.ts';

const SEARCHES_MAX = 5;
const SEARCH_AGAIN_MS = 1_000;
/** What a deletion left of a handle is gone by then; a common word never will be. */
const NAMED_SEARCHES = 3;

function isFound(places: readonly Place[] | undefined, search: number): boolean {
  if (places === undefined || places.some(({ found }) => found > 0)) return true;
  return search < NAMED_SEARCHES && places.some(({ named }) => named > 0);
}

/** The person's own rows were there and the search did not see them: it cannot see them gone. */
function believable(place: Place, ledger: readonly LedgerRow[]): Place {
  const rows = ledger
    .filter((row) => row.store === place.store)
    .reduce((sum, { counted }) => sum + counted, 0);
  const before = ledger.find((row) => row.store === 'bytes' && row.place === place.store);
  const blind = place.store === 'clickhouse' && rows > 0 && before?.counted === 0;
  return blind ? { ...place, searched: false, because: 'not-visible' } : place;
}

/** Takes what was deleted off PostgreSQL's files. */
async function purge({ db }: ErasureDeps, walked: readonly Walked[]): Promise<void> {
  const tables = new Set(['troth.inbox', 'troth.inbox_stuck']);
  const ledgers = await store.readLedgers(
    db.sql,
    walked.map(({ target }) => target.id),
  );
  for (const { erasure } of walked) {
    for (const row of ledgers.get(erasure.id) ?? []) {
      const wasThere = row.store === 'postgresql' && row.counted > 0;
      if (wasThere) tables.add(`${schemaOf(erasure.tenant)}.${row.place}`);
    }
  }
  await purgeDeleted(db, [...tables]);
}

/** From here on nobody can tell what was searched for. */
export async function forgetTraces(
  { db, keys, policies }: ErasureDeps,
  { id, tenant }: Pick<Erasure, 'id' | 'tenant'>,
): Promise<void> {
  await destroyTraces(keys, authorize(policies.inForce(tenant), WALKER, 'key.destroy'), id);
  await store.writeSealed(db.sql, id, null);
}

async function certify(
  deps: ErasureDeps,
  { erasure, target }: Walked,
  { seen, marker }: { seen: readonly Place[]; marker: string },
): Promise<void> {
  const { db, policies, clock, signer, afterStep } = deps;
  const { id, tenant, subject } = erasure;
  const inForce = policies.inForce(tenant);
  const now = clock.now();
  const ledger = await store.readLedger(db.sql, id);
  const places = seen.map((place) => believable(place, ledger));
  const facts = {
    erasure,
    ledger,
    places,
    control: marker,
    finishedAt: now,
    policy: inForce,
    people: target.subjects.length,
    handleSearched: isHandleSearched(target.traces),
    rowsSearched: target.traces.rows.length,
  };
  const certificate = await signCertificate(facts, signer);
  const permit = authorize(inForce, WALKER, 'subject.erase');
  await db.sql.begin(async (tx) => {
    const change = { state: 'done' as const, finishedAt: now, certificate };
    if (!(await store.changeErasure(tx, { id, from: ['deleted'] }, change))) return;
    await appendAudit(Object.assign(tx, { now }), permit, {
      event: 'erasure.completed',
      fields: { searched: places.filter(({ searched }) => searched).length },
      ...(subject ? { subject } : {}),
    });
  });
  await afterStep?.('certified');
  await forgetTraces(deps, erasure);
}

/**
 * Searches for these people until nothing is found, and signs each certificate then. A handle is
 * no such find: it may be any word, and stand in what somebody else sent. The certificate says it.
 *
 * @throws Waits bytes-found: something is still there after five searches.
 */
export async function verifyErasures(
  deps: ErasureDeps,
  erasures: readonly Erasure[],
): Promise<void> {
  const { db, clock, afterStep } = deps;
  let walked = await openWalked(deps, erasures);
  for (let search = 1; ; search++) {
    await purge(deps, walked);
    await afterStep?.('purged');
    const { marker, seen } = await searchFor(deps, walked);
    await afterStep?.('searched');
    const found = walked.flatMap(({ target: { id } }) => bytesRows(id, seen.get(id)));
    await store.writeLedger(db.sql, found, clock.now());
    const done = new Set<ErasureId>();
    const clean = walked.filter(({ target }) => !isFound(seen.get(target.id), search));
    await someAtOnce(clean, async (one) => {
      await certify(deps, one, { seen: seen.get(one.target.id) ?? [], marker });
      done.add(one.target.id);
    });
    walked = walked.filter(({ target }) => !done.has(target.id));
    if (walked.length === 0) return;
    if (search >= SEARCHES_MAX) {
      // What is still there may be rows that no deletion reached: the next turn deletes again.
      const from = ['deleted'] as const;
      for (const { target } of walked) {
        await store.changeErasure(db.sql, { id: target.id, from }, { state: 'shredded' });
      }
      throw new Waits('bytes-found');
    }
    await wait(SEARCH_AGAIN_MS);
  }
}
