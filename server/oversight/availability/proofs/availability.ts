import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, saw, span } from '#core/promises';

const PROBES = 3;
const WINDOW_MS = 30 * 86_400_000;
const MINUTE_MS = 60_000;
/** Two rounds of asking, and a busy machine. */
const FRESH_MS = 150_000;

type Published = { since: string | null; minutes: number; ready: number; percent: number | null };

/** The same from the minutes that were noted, by the database's own clock. */
async function measured(at: Look): Promise<Published & { lastMs: number }> {
  const now = (await at.now()).getTime();
  const rows = await at.sql<{ minute: Date; ready: boolean }[]>`
    select minute, ready
    from troth.availability_minutes
    where minute >= ${new Date(now - WINDOW_MS)}
    order by minute`;
  const first = rows[0]?.minute;
  const last = rows.at(-1)?.minute;
  if (!first || !last) return { since: null, minutes: 0, ready: 0, percent: null, lastMs: now };
  const minutes = Math.trunc(now / MINUTE_MS) - first.getTime() / MINUTE_MS + 1;
  const ready = rows.filter((row) => row.ready).length;
  const percent = Number(((100 * ready) / minutes).toFixed(3));
  return { since: first.toISOString(), minutes, ready, percent, lastMs: now - last.getTime() };
}

const isSame = (published: Published, own: Published) =>
  published.since === own.since &&
  published.minutes === own.minutes &&
  published.ready === own.ready &&
  Math.abs((published.percent ?? 0) - (own.percent ?? 0)) < 0.002;

export const availability = defineProof({
  control: 'oversight.availability',
  strength: 'protocol',
  blindTo: 'The way from the network to this machine, and minutes that are noted falsely.',
  async prove(at) {
    const answers = await Promise.all(Array.from({ length: PROBES }, () => at.http('/readyz')));
    const answered = answers.filter(({ status }) => status === 200).length;
    // A minute may begin between the two readings: then a second pair agrees.
    for (let attempt = 0; attempt < 2; attempt++) {
      const before = await measured(at);
      const { status, json } = await at.http('/v1/availability');
      if (status !== 200) return broken(saw`no availability is published`);
      const after = await measured(at);
      if (after.lastMs > FRESH_MS)
        return broken(
          saw`nothing has been measured for ${span(after.lastMs)}, while ${answered} of ${PROBES} probes were answered`,
        );
      const published = json as Published;
      if (![before, after].some((own) => isSame(published, own))) continue;
      if (published.percent === null) return gap(saw`nothing has been measured yet`);
      return kept(
        saw`published: ${published.percent} % of ${published.minutes} minutes, as measured; ${answered} of ${PROBES} probes were answered just now`,
      );
    }
    return broken(saw`another availability is published than was measured`);
  },
});
