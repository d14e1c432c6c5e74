import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Seen, saw, span, term } from '#core/promises';
import { type ChoiceKind, type Chosen, chosen, chosenMs, type Wanted } from './chosen.ts';
import { promisedFor } from './promised.ts';

/** A length that no document offers by name. */
const OWN_LENGTH = 'P30D';
const SETTING = /^data\.([a-z0-9-]+)\.retain-options(?:\.([a-z0-9-]+))?$/;

/** What a promise about a choice names: the data, and the option where it is one. */
function namedBy(setting: unknown) {
  const [, dataType, option] = SETTING.exec(String(setting)) ?? [];
  return dataType === undefined ? undefined : { dataType, option };
}

/** The choices to try for a type: what the service's own promises name, all in one pass. */
function wantedFor({ policy }: Look, dataType: string): Wanted {
  const choices = { custom: OWN_LENGTH, extended: '', immediate: '', regional: '' };
  for (const promise of policy.promises) {
    if (promise.control !== 'retention.tenant-choice') continue;
    const { choice, setting } = promise.with as { choice: ChoiceKind; setting: string };
    const named = namedBy(setting);
    if (named?.dataType === dataType && named.option) choices[choice] = named.option;
  }
  return { dataType, choices };
}

/** Whether the option is what its promise calls it. */
function fits(kind: ChoiceKind, lifeMs: number, totalMs: number): boolean {
  if (kind === 'extended') return lifeMs > totalMs;
  if (kind === 'immediate') return lifeMs === 0;
  return lifeMs > 0 && lifeMs < totalMs;
}

function judge({ outcomes, beyond }: Chosen, kind: ChoiceKind, totalMs: number): Seen | undefined {
  const { status, rows } = outcomes[kind];
  if (status !== 200) return broken(saw`the choice was answered with ${status}`);
  if (rows.length === 0) return gap(saw`nothing could be planted`);
  const late = rows.find(({ isPast, isThere }) => isPast && isThere);
  if (late) return broken(saw`a row of ${span(late.ageMs)} is there after the choice`);
  const early = rows.find(({ isPast, isThere }) => !isPast && !isThere);
  if (early) return broken(saw`a row of ${span(early.ageMs)} went too early`);
  const isOdd = rows.some(({ ageMs, isUnchosenThere }) => isUnchosenThere !== ageMs < totalMs);
  if (isOdd) return broken(saw`the choice reached rows that it was not made for`);
  const isBounded = kind === 'custom' || kind === 'extended';
  if (isBounded && (beyond.status !== 422 || beyond.isStored)) {
    return broken(saw`a day more than the longest on offer was answered with ${beyond.status}`);
  }
  return undefined;
}

export const tenantChoice = defineProof({
  control: 'retention.tenant-choice',
  strength: 'stored-bytes',
  blindTo:
    'A choice for a real country or for everybody, which would touch real rows: it is made for codes that no country has; and events that arrive while it stands.',
  async prove(look, { choice, setting }) {
    const kind = choice as ChoiceKind;
    const named = namedBy(setting);
    if (!named) return gap(saw`${term(String(setting))} names no choice`);
    const { dataType, option } = named;
    const { totalMs, isChosen } = (await promisedFor(look, dataType)) ?? {};
    if (totalMs === undefined) return gap(saw`${term(dataType)} has no length of time`);
    if (isChosen) return gap(saw`the customer has a choice in force; another would hide it`);
    const wanted = wantedFor(look, dataType);
    const asked = option ?? OWN_LENGTH;
    const lifeMs = chosenMs(look, dataType, asked);
    if ((kind === 'custom') !== (option === undefined) || wanted.choices[kind] !== asked) {
      return gap(saw`${term(String(setting))} is no setting for this choice`);
    }
    if (!fits(kind, lifeMs, totalMs)) {
      return broken(saw`${term(asked)} is ${span(lifeMs)}, of ${span(totalMs)} without a choice`);
    }
    const seen = await chosen(look, wanted);
    const found = judge(seen, kind, totalMs);
    if (found) return found;
    const bounds =
      kind === 'custom' || kind === 'extended'
        ? saw`; a day more than the longest was refused`
        : saw``;
    return kept(
      saw`${term(asked)} was chosen for one region: a row ${lifeMs > 0 ? saw`five minutes before ${span(lifeMs)}` : saw`of now, and one of five minutes later,`} was gone when that was answered${lifeMs > 0 ? saw`, one of 90 % of it was there` : saw``}, and rows as old elsewhere ended as without a choice${bounds}`,
    );
  },
});
