import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, terms } from '#core/promises';
import { type Aged, swept } from './ages.ts';

const JOB = 'retention.sweep';
/** It comes round every ten minutes: two may be missed while a server is started anew. */
const ROUND_MS = 25 * 60_000;
const HOUR_MS = 3_600_000;
/** What lives longest is swept once a day; the rest of the time is for a machine that was off. */
const RECORD_MS = 25 * HOUR_MS;

type Beat = { lastDone: Date | null; lastOutcome: string | null };

/** What the scheduler wrote down of itself; whoever asks for a sweep by hand leaves nothing here. */
type Round = { knownSince: Date; lastExecution: Date | null };

async function roundOf({ sql }: Look): Promise<Round | undefined> {
  const [round] = await sql<Round[]>`
    select known_since as "knownSince", last_execution as "lastExecution"
    from troth_jobs._private_known_crontabs
    where identifier = ${JOB}`;
  return round;
}

/** That it comes round by itself; before its first time, that it is going to. */
function comesRound(round: Round | undefined, now: number): Seen {
  if (!round) return broken(saw`no sweep is scheduled: none runs unless somebody asks for it`);
  const { knownSince, lastExecution } = round;
  const since = now - (lastExecution ?? knownSince).getTime();
  if (since > ROUND_MS) return broken(saw`the sweep last came round by itself ${span(since)} ago`);
  return kept(
    lastExecution
      ? saw`the sweep last came round by itself ${span(since)} ago`
      : saw`the sweep is scheduled for ${span(since)}, and its first time is still to come`,
  );
}

const isGone = ({ promised, rows }: Aged): boolean => {
  const tier = promised.activeMs === undefined ? 'active' : 'archive';
  const past = rows.filter(({ planted, isPast }) => planted === tier && isPast);
  return past.length > 0 && past.every(({ found }) => found.length === 0);
};

export const sweepRuns = defineProof({
  control: 'retention.sweep-runs',
  strength: 'stored-bytes',
  blindTo:
    'What passes between two of its rounds: for what it deletes, this proof asks for one more.',
  prepare: swept,
  async prove(look) {
    const { types, ran } = await swept(look);
    const [beat] = await look.sql<Beat[]>`
      select last_done as "lastDone", last_outcome as "lastOutcome"
      from troth.job_heartbeats
      where job = ${JOB}`;
    const now = (await look.now()).getTime();
    const round = comesRound(await roundOf(look), now);
    if (round.state === 'broken') return round;
    if (!ran) return gap(saw`the sweep did not end while this waited`);
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
      saw`${round.saw}; it was done ${span(since)} ago and is on record for ${limited.length} of ${limited.length} types with a limit; what was planted at its end was gone in each`,
    );
  },
});
