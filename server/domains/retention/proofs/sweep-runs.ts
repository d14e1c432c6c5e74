import { broken, defineProof, gap, kept, saw, span, terms } from '#core/promises';
import { type Aged, swept } from './ages.ts';

const HOUR_MS = 3_600_000;
/** What lives longest is swept once a day; the rest of the time is for a machine that was off. */
const RECORD_MS = 25 * HOUR_MS;

type Beat = { lastDone: Date | null; lastOutcome: string | null };

const isGone = ({ promised, rows }: Aged): boolean => {
  const tier = promised.activeMs === undefined ? 'active' : 'archive';
  const past = rows.find(({ planted }) => planted === tier);
  return past !== undefined && past.found.length === 0;
};

export const sweepRuns = defineProof({
  control: 'retention.sweep-runs',
  strength: 'stored-bytes',
  blindTo: 'Whether it would have run without this proof, which asks for one more pass.',
  prepare: swept,
  async prove(look) {
    const { types, ran } = await swept(look);
    const [beat] = await look.sql<Beat[]>`
      select last_done as "lastDone", last_outcome as "lastOutcome"
      from troth.job_heartbeats
      where job = 'retention.sweep'`;
    if (!ran) return gap(saw`the sweep did not end while this waited`);
    const now = (await look.now()).getTime();
    const since = now - (beat?.lastDone?.getTime() ?? 0);
    if (!beat || since > HOUR_MS) return broken(saw`the sweep was last done ${span(since)} ago`);
    const limited = [...types.values()].filter(({ promised }) => promised.totalMs !== undefined);
    const stale = limited.filter(({ sweptAt }) => now - (sweptAt?.getTime() ?? 0) > RECORD_MS);
    if (stale.length > 0) {
      const names = stale.map(({ promised }) => promised.dataType);
      return broken(saw`no sweep of a day is on record for ${terms(names)}`);
    }
    const left = limited.filter((aged) => !isGone(aged)).map(({ promised }) => promised.dataType);
    if (left.length > 0) return broken(saw`the sweep left what was due in ${terms(left)}`);
    return kept(
      saw`the sweep was done ${span(since)} ago and is on record for ${limited.length} of ${limited.length} types with a limit; what was planted at its end was gone in each`,
    );
  },
});
