import { broken, defineProof, gap, kept, saw, span, term } from '#core/promises';
import { type Aged, pastAndBefore, placeOf, swept } from './ages.ts';

const isOnlyIn = (found: readonly string[], tier: string) => found.join() === tier;

function judge(aged: Aged) {
  const active = pastAndBefore(aged, 'active');
  const archive = pastAndBefore(aged, 'archive');
  const isPlanted = active.past.length > 0 && archive.past.length > 0;
  if (!isPlanted || !active.before || !archive.before) return gap(saw`nothing could be planted`);
  const unmoved = active.past.find(({ found }) => !isOnlyIn(found, 'archive'));
  if (unmoved) {
    const [age, place] = [span(unmoved.ageMs), placeOf(unmoved)];
    return broken(
      saw`a row of ${age} from ${place} is in the tiers ${term(unmoved.found.join(' and ') || 'none')} instead of the archive`,
    );
  }
  if (!isOnlyIn(active.before.found, 'active')) {
    return broken(saw`a row had left the active tier at ${span(active.before.ageMs)}`);
  }
  const left = archive.past.find(({ found }) => found.length > 0);
  if (left) {
    return broken(saw`a row from ${placeOf(left)} is still archived at ${span(left.ageMs)}`);
  }
  if (!isOnlyIn(archive.before.found, 'archive')) {
    return broken(saw`a row had left the archive at ${span(archive.before.ageMs)}`);
  }
  return undefined;
}

export const tiers = defineProof({
  control: 'retention.tiers',
  strength: 'stored-bytes',
  blindTo: 'That the archive is cheaper or slower: it is another database of the same engine.',
  prepare: swept,
  async prove(look, { data }) {
    const { types, ran } = await swept(look);
    if (!ran) return gap(saw`the sweep did not end while this waited`);
    const aged = types.get(String(data));
    const { activeMs, totalMs, isChosen } = aged?.promised ?? {};
    if (!aged || activeMs === undefined || totalMs === undefined) {
      return isChosen
        ? gap(saw`a customer chose a life of ${term(String(data))} that ends before the archive`)
        : gap(saw`the document in force names no tiers for ${term(String(data))}`);
    }
    const found = judge(aged);
    if (found) return found;
    const { overdue } = aged;
    if (overdue) {
      const [age, most] = [span(overdue.ageMs), span(overdue.limitMs)];
      return broken(saw`a row is ${age} old, where it may be ${most}`);
    }
    return kept(
      saw`a row five minutes before ${span(activeMs)} moved to the archive and nowhere else, one as long before ${span(totalMs)} left it for good; rows of 97 % of either age stayed where they were; the oldest is ${span(aged.oldestMs ?? 0)} old`,
    );
  },
});
