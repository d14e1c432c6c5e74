import { type Look, placesOf, secondsInDuration, valueAt } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, term } from '#core/promises';
import { type Erased, erased } from './erased.ts';
import { sum } from './stores.ts';

const NOT_YET: Readonly<Record<string, string>> = {
  person: 'a person cannot ask alone yet: an operator or the service asks for them',
  account: 'no accounts are kept here yet that could be deleted',
};

/** Troubles of an engine that was out of reach: an erasure waits for it, and gets on afterwards. */
const AWAY: ReadonlySet<string> = new Set([
  'events-unavailable',
  'database-unavailable',
  'keeper-unavailable',
]);

/** Demands that were to be final and are open for longer than is published. */
async function overdue({ sql, tenant }: Look, seconds: number): Promise<number> {
  const [row] = await sql<{ open: number }[]>`
    select count(*)::int as open
    from troth.erasures
    where tenant = ${tenant} and complete and state not in ('done', 'undone', 'held')
      and requested_at < clock_timestamp() - make_interval(secs => ${seconds})`;
  return row?.open ?? 0;
}

/** A gap when the look itself is in doubt: nothing was there, or what should stay went as well. */
function blind(look: Look, { gone, stays, after }: Erased): Seen | undefined {
  const { archive } = placesOf(look);
  for (const { bytes, events } of [gone, stays]) {
    const inArchive = [...events.keys()].filter((place) => place.startsWith(`${archive}.`)).length;
    if (inArchive < bytes.archived.length) return gap(saw`what was archived was not found there`);
  }
  const rows = [gone, stays].map(({ events, tables }) => sum(events) + sum(tables));
  if (rows.some((count) => count === 0) || gone.bytes.keyring.length === 0) {
    return gap(saw`the canaries left nothing that could be looked for`);
  }
  const there = after.stays;
  if (!there.hasKey || there.keyring === 0) return gap(saw`the key of who stays was not found`);
  return undefined;
}

function judge(scene: Erased): Seen | undefined {
  const { gone, stays, after, demand, certificate, lateStored, stuckIn } = scene;
  if (stuckIn && AWAY.has(stuckIn)) return gap(saw`the erasure waits: ${term(stuckIn)}`);
  if (stuckIn) return broken(saw`the erasure does not get on: ${term(stuckIn)}`);
  const left = after.gone;
  const rows = sum(left.events) + sum(left.tables);
  if (demand.state === 'done' && rows > 0) {
    return broken(saw`${rows} rows of an erased person are still there`);
  }
  if (left.hasKey || left.whois !== 'erased') return broken(saw`the person's key is still there`);
  if (left.keyring > 0) return broken(saw`${left.keyring} traces of the key lie in the keyring`);
  if (lateStored) return broken(saw`an event that came after the demand was stored`);
  const stay = after.stays;
  const wereThere = sum(stays.events) + sum(stays.tables);
  if (sum(stay.events) + sum(stay.tables) < wereThere) {
    return broken(saw`rows of somebody else went as well`);
  }
  if (demand.state !== 'done' && demand.trouble !== null) {
    return gap(
      saw`the erasure was to be tried again when the time was over: ${term(demand.trouble)}`,
    );
  }
  if (demand.state !== 'done') return gap(saw`the erasure was under way when the time was over`);
  if (!certificate) return broken(saw`the erasure is done, and no certificate says so`);
  if (gone.subjects.length === 0) return gap(saw`nobody was erased`);
  return undefined;
}

export const complete = defineProof({
  control: 'erasure.complete',
  strength: 'stored-bytes',
  blindTo:
    'What the service keeps of a person beside Troth, or gave to others; backups, of which there are none yet; disks of other machines.',
  prepare: erased,
  async prove(look, { setting, by }) {
    const reason = typeof by === 'string' ? NOT_YET[by] : undefined;
    if (reason) return gap(saw`${term(reason)}`);
    const path = String(setting ?? 'rights.erasure.within');
    const limit = secondsInDuration(String(valueAt(look.policy, path)));
    if (limit === undefined) return gap(saw`${term(path)} publishes no time`);
    const late = await overdue(look, limit);
    if (late > 0) return broken(saw`${late} demands are open for more than ${span(limit * 1_000)}`);
    const scene = await erased(look);
    const found = blind(look, scene) ?? judge(scene);
    if (found) return found;
    const { gone, demand, sentAt } = scene;
    const took = Date.parse(demand.finishedAt ?? '') - sentAt;
    if (took > limit * 1_000) return broken(saw`it took ${span(took)}`);
    const places = gone.events.size + gone.tables.size;
    const archived = gone.bytes.archived.length;
    const archives = archived > 0 ? saw`, ${archived} of them archives,` : saw``;
    return kept(
      saw`${sum(gone.events) + sum(gone.tables)} rows in ${places} tables${archives} and ${gone.subjects.length} keys of one person were gone after ${span(took)} of ${span(limit * 1_000)}; the rows of another, sent beside them, are there; no demand is overdue`,
    );
  },
});
