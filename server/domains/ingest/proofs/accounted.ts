import type { Fields, Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, terms } from '#core/promises';
import { type Batch, batchesFor, type Sent } from './fates.ts';
import { type Answered, sendAll } from './sent.ts';

const countOf = (value: unknown) => (typeof value === 'number' ? value : 0);

/** How often each reason was given, or had to be. */
function tally(reasons: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

const droppedIn = ({ fate }: Sent) =>
  typeof fate === 'object' && 'dropped' in fate ? [fate.dropped] : [];
const refusedIn = ({ fate }: Sent) =>
  typeof fate === 'object' && 'refused' in fate ? [fate.refused] : [];

/** Reasons that were not given as often as they had to be. */
function differing(wanted: ReadonlyMap<string, number>, told: ReadonlyMap<string, number>) {
  const names = new Set([...wanted.keys(), ...told.keys()]);
  return [...names].filter((name) => wanted.get(name) !== told.get(name));
}

/** Whether the answer to one request accounts for every event of it, each with its own reason. */
function judgeAnswer({ sent }: Batch, { status, body }: Answered): Seen | undefined {
  if (status !== 200 && status !== 207 && status !== 422)
    return gap(saw`the server answered ${status}`);
  const list = (Array.isArray(body['refused']) ? body['refused'] : []) as { code?: string }[];
  const refused = tally(list.map(({ code }) => code ?? ''));
  const dropped = new Map(
    Object.entries((body['dropped'] ?? {}) as Fields).map(([why, count]) => [why, countOf(count)]),
  );
  const accepted = countOf(body['accepted']);
  const all = accepted + list.length + [...dropped.values()].reduce((sum, one) => sum + one, 0);
  if (all !== sent.length)
    return broken(saw`of ${sent.length} events the answer accounts for ${all} only`);
  const other = [
    ...differing(tally(sent.flatMap(refusedIn)), refused),
    ...differing(tally(sent.flatMap(droppedIn)), dropped),
  ];
  if (other.length > 0) return broken(saw`not counted as often as it happened: ${terms(other)}`);
  return undefined;
}

type Rows = { readonly wanted: number; readonly stored: number; readonly strays: number };

/** Rows of what was accepted, and of what was not; whoever is accepted comes first in each type. */
async function rowsOf({ canaries }: Look, sent: readonly Sent[]): Promise<Rows> {
  const accepted = sent.filter(({ fate }) => fate === 'stored');
  const seen = new Set<string>();
  let [stored, strays] = [0, 0];
  for (const { type, event } of accepted) {
    const waitMs = seen.has(type) ? 2_500 : 15_000;
    stored += (await canaries.stored(type, String(event['messageId']), waitMs)).length;
    seen.add(type);
  }
  for (const { type, event, fate } of sent) {
    if (typeof fate === 'string') continue;
    strays += (await canaries.stored(type, String(event['messageId']), 0)).length;
  }
  return { wanted: accepted.length, stored, strays };
}

/** How many events of proofs the server has counted, of whatever fate. */
async function counted({ operator, tenant }: Look): Promise<number | undefined> {
  const { json } = await operator(`/v1/t/${tenant}/pipeline`);
  const { verification } = (json ?? {}) as { verification?: unknown };
  return typeof verification === 'number' ? verification : undefined;
}

export const accounted = defineProof({
  control: 'ingest.accounted',
  strength: 'stored-bytes',
  blindTo:
    'Requests of others; and reasons that nobody was given here: a limit of rate, an age, an undeclared name, a link that a page may not make, a choice to keep nothing.',
  async prove(look) {
    const batches = await batchesFor(look);
    if (!batches) return gap(saw`the policy has no type for this`);
    const before = await counted(look);
    if (before === undefined) return gap(saw`the server's own count could not be read`);
    for (const batch of batches) {
      const events = batch.sent.map(({ event }) => event);
      const [answered] = await sendAll(look, events, batch.ask);
      const seen = answered && judgeAnswer(batch, answered);
      if (seen) return seen;
    }
    const sent = batches.flatMap((batch) => batch.sent);
    const grown = ((await counted(look)) ?? 0) - before;
    if (grown < sent.length)
      return broken(saw`of ${sent.length} events the server has counted ${grown}`);
    const { wanted, stored, strays } = await rowsOf(look, sent);
    if (stored !== wanted)
      return broken(saw`${wanted} events were accepted, and ${stored} are stored`);
    if (strays > 0) return broken(saw`${strays} events that were not accepted are stored`);
    const reasons = [...new Set(sent.flatMap((one) => [...droppedIn(one), ...refusedIn(one)]))];
    const turned = sent.filter(({ fate }) => typeof fate === 'object').length;
    return kept(
      saw`${sent.length} sent = ${stored} stored + ${sent.length - wanted - turned} repeats of them + ${turned} turned away,
 each counted under one of ${reasons.length} reasons (${terms(reasons)})`,
    );
  },
});
