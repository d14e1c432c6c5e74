import { type Look, secondsInDuration, valueAt } from '#core/looking';
import {
  broken,
  defineProof,
  gap,
  kept,
  type Seen,
  saw,
  span,
  term,
  terms,
  wordsOf,
} from '#core/promises';
import { type Aged, pastAndBefore, placeOf, swept } from './ages.ts';

/** What is wrong with one type; `undefined` when nothing of it is older than its limit. */
function judge(aged: Aged): Seen | undefined {
  const { promised, overdue } = aged;
  const { dataType, totalMs, activeMs } = promised;
  const type = term(dataType);
  if (totalMs === undefined) return broken(saw`${type} ends after no length of time`);
  const { past, before } = pastAndBefore(aged, activeMs === undefined ? 'active' : 'archive');
  if (past.length === 0 || !before) return gap(saw`nothing could be planted in ${type}`);
  const left = past.find(({ found }) => found.length > 0);
  if (left) {
    const [age, place] = [span(left.ageMs), placeOf(left)];
    return broken(saw`a row of ${type} from ${place} is there at the age of ${age}`);
  }
  if (before.found.length === 0) {
    return broken(saw`a row of ${type} was gone at the age of ${span(before.ageMs)}`);
  }
  if (overdue) {
    const [age, most] = [span(overdue.ageMs), span(overdue.limitMs)];
    return broken(saw`a row of ${type} is ${age} old, where it may be ${most}`);
  }
  return undefined;
}

/** The time that the promise names, where it names one. */
function namedMs({ policy }: Look, setting: unknown): number | undefined {
  if (setting === undefined) return undefined;
  const seconds = secondsInDuration(String(valueAt(policy, String(setting))));
  return (seconds ?? Number.NaN) * 1_000;
}

/** Where no event lands nothing could be planted, and nothing is kept. */
const unmade = ({ policy }: Look, types: readonly string[]) =>
  types.filter((type) => policy.data[type]?.from !== 'events');

/** How old the oldest row is that nobody planted. */
function oldestIn(aged: readonly Aged[]) {
  const ages = aged.flatMap(({ oldestMs }) => oldestMs ?? []);
  return ages.length === 0
    ? saw`there is no other row yet`
    : saw`the oldest other row is ${span(Math.max(...ages))} old, no longer than it may be there`;
}

export const limit = defineProof({
  control: 'retention.limit',
  strength: 'stored-bytes',
  blindTo:
    'Places that no row was planted for in this round; bytes that the engine has let go of and the file system has not written over; what the service keeps beside Troth; backups, of which there are none yet.',
  prepare: swept,
  async prove(look, { data, setting }) {
    const types = wordsOf(data);
    const missing = unmade(look, types);
    if (missing.length > 0) return gap(saw`nothing makes ${terms(missing)} here yet`);
    const { types: all, ran } = await swept(look);
    if (!ran) return gap(saw`the sweep did not end while this waited`);
    const aged = types.flatMap((type) => all.get(type) ?? []);
    if (aged.length < types.length) return gap(saw`a type has no table`);
    const said = namedMs(look, setting);
    if (Number.isNaN(said)) return gap(saw`${term(String(setting))} publishes no time`);
    const longer = aged.find(
      // What a customer chose, the document offers beside what it promises who chose nothing.
      ({ promised }) => said !== undefined && (promised.ownMs ?? 0) > said,
    );
    if (longer) return broken(saw`${term(longer.promised.dataType)} may live longer than that`);
    const found = aged.map(judge).find((one) => one !== undefined);
    if (found) return found;
    const planted = aged.flatMap(({ rows }) => rows);
    const places = new Set(planted.map(({ country }) => country)).size;
    const limits = [...new Set(aged.map(({ promised }) => span(promised.totalMs ?? 0)))];
    const isOther = aged.some(({ promised }) => said !== undefined && promised.totalMs !== said);
    const isChosen = aged.some(({ promised }) => promised.isChosen);
    const sooner = isOther ? saw`, sooner than the ${span(said ?? 0)} of this promise` : saw``;
    const within = isChosen ? saw`, as a customer chose` : sooner;
    return kept(
      saw`rows planted five minutes before the limit (${terms(limits)}${within}) were gone after the sweep in ${aged.length} of ${types.length} types, from each of ${places} places, rows of 97 % of that age were there; ${oldestIn(aged)}`,
    );
  },
});
