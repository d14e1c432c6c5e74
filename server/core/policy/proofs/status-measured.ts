import { setTimeout as sleep } from 'node:timers/promises';
import { type Look, shownAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw } from '#core/promises';
import { areaOf, figuresOf, type States, statesOf } from './states.ts';

/** Findings are recorded while the page is read; the two meet within a few readings. */
const READINGS = 20;
const BETWEEN_MS = 150;

type Row = Look['policy']['promises'][number];

const LINES = {
  banner: { place: 'page.banner', rows: (rows: readonly Row[]) => rows },
  footer: {
    place: 'page.encryption',
    rows: (rows: readonly Row[]) => rows.filter((row) => areaOf(row) === 'encryption'),
  },
} as const;

const LINE =
  /^\w+: (not active|active|not looked at yet)(?:\. \d+ promises: | \()(\d+) kept, \d+ attested, (\d+) gaps, (\d+) broken\)?\.$/;

/** What a true line says of these findings. */
function isTrue(line: string, states: States, rows: readonly Row[]): boolean {
  const { kept: held, broken: failed, gap: open } = figuresOf(states, rows);
  const word = failed > 0 ? 'not active' : held > 0 ? 'active' : 'not looked at yet';
  return LINE.exec(line)?.slice(1).join() === [word, held, open, failed].join();
}

async function buildOf(at: Look): Promise<string> {
  const { json } = await at.http('/openapi.json');
  return (json as { info?: { version?: string } } | undefined)?.info?.version ?? '';
}

export const statusMeasured = defineProof({
  control: 'policy.status-measured',
  strength: 'api',
  blindTo: 'Whether the findings that are on record are themselves right.',
  async prove(at, { shows }) {
    const { place, rows } = LINES[shows as keyof typeof LINES];
    const wanted = rows(at.policy.promises);
    if (wanted.length === 0) return gap(saw`no promise stands behind the line`);
    for (let reading = 0; reading < READINGS; reading++) {
      const before = await statesOf(at);
      const { status, text } = await at.http(`/v1/t/${at.tenant}/policy.html`);
      if (status !== 200) return gap(saw`the page is not served`);
      const after = await statesOf(at);
      const [line] = shownAt(text, place);
      if (line === undefined) return broken(saw`the page has no such line`);
      const [build] = shownAt(text, 'page.build');
      if (shows === 'footer' && build !== (await buildOf(at)))
        return broken(saw`the page names another build than the one that answers`);
      const told = [before.fresh, before.all, after.fresh, after.all].find((states) =>
        isTrue(line, states, wanted),
      );
      if (told) {
        const figures = figuresOf(told, wanted);
        return kept(
          saw`the line says what the ${wanted.length} latest findings say: ${figures.kept} kept, ${figures.gap} gaps, ${figures.broken} broken`,
        );
      }
      await sleep(BETWEEN_MS, undefined, { signal: at.signal });
    }
    return broken(saw`in ${READINGS} readings the line never said what the findings say`);
  },
});
