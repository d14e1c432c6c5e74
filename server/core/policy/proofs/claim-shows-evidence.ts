import { setTimeout as sleep } from 'node:timers/promises';
import { type Look, shownAt } from '#core/looking';
import { broken, defineProof, gap, kept, saw, term } from '#core/promises';
import { areaOf, type States, statesOf } from './states.ts';

const READINGS = 20;
const BETWEEN_MS = 150;

/** Without these, a list of checks does not speak for the claim. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  safeguards: ['encryption', 'access'],
  'reasonable measures': ['encryption', 'web'],
  'SOC 2 security': ['encryption', 'access'],
  'SOC 2 privacy': ['retention', 'consent'],
  GDPR: ['retention', 'rights', 'purpose'],
  CCPA: ['rights', 'retention'],
  PIPEDA: ['rights', 'retention'],
};
/** The sentence says that the checks pass, not only that they can be seen. */
const MUST_PASS = new Set(['safeguards']);

type Shown = {
  readonly area: string;
  readonly kept: number;
  readonly of: number;
  readonly broken: number;
};

function read(text: string): Shown[] {
  return text.split('; ').flatMap((part) => {
    const match = /^([a-z]+): (\d+) of (\d+) kept, (\d+) broken$/.exec(part);
    if (!match) return [];
    const [, area = '', held, all, failed] = match;
    return [{ area, kept: Number(held), of: Number(all), broken: Number(failed) }];
  });
}

/** Whether each figure is that of the findings on record. The claims themselves speak for none. */
function isTrue(shown: readonly Shown[], states: States, { policy }: Look): boolean {
  return shown.every(({ area, ...figures }) => {
    const rows = policy.promises.filter(
      (row) => areaOf(row) === area && row.control !== 'policy.claim-shows-evidence',
    );
    const count = (state: string) => rows.filter(({ id }) => states.get(id) === state).length;
    return (
      figures.of === rows.length &&
      figures.kept === count('kept') &&
      figures.broken === count('broken')
    );
  });
}

export const claimShowsEvidence = defineProof({
  control: 'policy.claim-shows-evidence',
  strength: 'configuration',
  blindTo: 'Whether these checks are all that the claim would need.',
  async prove(at, { claim }) {
    const name = String(claim);
    const needed = NEEDED[name];
    if (!needed) return gap(saw`nobody has said which checks speak for ${term(name)}`);
    for (let reading = 0; reading < READINGS; reading++) {
      const before = await statesOf(at);
      const { text } = await at.http(`/v1/t/${at.tenant}/policy.html`);
      const after = await statesOf(at);
      const [line] = shownAt(text, `page.claim.${name}`);
      if (line === undefined) return broken(saw`the page shows no checks behind the claim`);
      const shown = read(line);
      const has = needed.filter((area) => at.policy.promises.some((row) => areaOf(row) === area));
      if (shown.length === 0 || !has.every((area) => shown.some((one) => one.area === area)))
        return broken(saw`the page leaves out checks that the claim needs`);
      const link = `<a href="/v1/t/${at.tenant}/promises">`;
      if (!text.includes(link)) return broken(saw`the claim leads to no evidence`);
      if (
        [before.fresh, before.all, after.fresh, after.all].some((states) =>
          isTrue(shown, states, at),
        )
      )
        return judgedBy(name, shown);
      await sleep(BETWEEN_MS, undefined, { signal: at.signal });
    }
    return broken(saw`the figures behind the claim are not those of the latest findings`);
  },
});

function judgedBy(name: string, shown: readonly Shown[]) {
  const sum = (of: (one: Shown) => number) => shown.reduce((total, one) => total + of(one), 0);
  const [held, all, failed] = [
    sum((one) => one.kept),
    sum((one) => one.of),
    sum((one) => one.broken),
  ];
  const figures = saw`${held} of ${all} checks in ${shown.length} areas kept, ${failed} broken`;
  if (!MUST_PASS.has(name)) return kept(saw`the claim is shown with its live checks: ${figures}`);
  if (failed > 0) return broken(saw`not every check passes: ${figures}`);
  return held === all ? kept(figures) : gap(saw`not every check has been seen to pass: ${figures}`);
}
