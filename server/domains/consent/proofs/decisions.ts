/** The proofs of what a person's own word does: asked first, the default, the switch, the end. */
import { broken, defineProof, gap, kept, type Look, saw, term, terms } from '#core/promises';
import { freeTypes, gatedBy, openPurposes } from './gates.ts';
import { arrivals, arrived, decide, type Sending, send, standings, withdrawAll } from './people.ts';

const BLIND = 'What a page or a program does before it sends anything.';

/** Whether events about who somebody is are what this purpose is asked for. */
const isIdentity = ({ policy }: Look, purpose: string) => policy.identify?.consent === purpose;

/** The type that `identify` fills. */
const identityType = ({ policy, canaries }: Look) =>
  canaries.eventTypes.find((id) => policy.data[id]?.['event-names']?.includes('type:identify'));

/** Types whose events show whether the purpose is open for their person. */
function typesFor(look: Look, purpose: string): string[] {
  const identity = isIdentity(look, purpose) ? identityType(look) : undefined;
  return [...gatedBy(look, purpose), ...(identity === undefined ? [] : [identity])];
}

const nothingFor = (purpose: string) =>
  gap(saw`nothing is collected for ${term(purpose)} alone, and nothing reads for it yet`);

export const askedFirst = defineProof({
  control: 'consent.asked-first',
  strength: 'stored-bytes',
  blindTo: BLIND,
  async prove(at, { purposes }) {
    const sendings: Sending[] = [];
    const wanted: boolean[] = [];
    for (const purpose of purposes as string[]) {
      const types = typesFor(at, purpose);
      if (types.length === 0) return nothingFor(purpose);
      const [silent, refusing, agreeing] = [1, 2, 3].map(() => at.canaries.person());
      if (!silent || !refusing || !agreeing) throw new Error('no canaries');
      await decide(at, refusing, { [purpose]: false });
      await decide(at, agreeing, { [purpose]: true });
      for (const type of types) {
        sendings.push({ type, person: silent }, { type, person: refusing });
        sendings.push({ type, person: agreeing });
        wanted.push(false, false, true);
      }
    }
    const stored = await arrivals(at, sendings);
    const early = sendings.filter((_, index) => stored[index] && !wanted[index]);
    if (early.length > 0) {
      return broken(
        saw`stored without a yes: ${terms([...new Set(early.map(({ type }) => type))])}`,
      );
    }
    const lost = stored.filter((is, index) => !is && wanted[index]).length;
    if (lost > 0) return gap(saw`${lost} events did not arrive after a yes either`);
    const asked = wanted.filter((is) => is).length;
    return kept(
      saw`${asked * 2} events of people who were silent or had refused were not stored, ${asked} of ${asked} after a yes were`,
    );
  },
});

/** Rows of a type that is to name nobody do so. */
async function namesNobody(look: Look, type: string, message: string): Promise<boolean> {
  if (look.policy.data[type]?.key !== 'none') return true;
  const [row] = await look.canaries.stored(type, message, 0);
  return row === undefined || (/^0*$/.test(row.subject) && row.sealed === '');
}

export const byDefault = defineProof({
  control: 'consent.default',
  strength: 'stored-bytes',
  blindTo: `${BLIND} Regions that ask for consent have it their way.`,
  async prove(at, { purpose, state }) {
    const name = String(purpose);
    const isOn = state === 'on';
    const types = gatedBy(at, name);
    const [type] = types;
    if (type === undefined) return nothingFor(name);
    const [silent, decided] = [at.canaries.person(), at.canaries.person()];
    const standing = (await standings(at, silent))[name];
    if (standing?.granted !== isOn) {
      return broken(saw`for a new person ${term(name)} is ${term(isOn ? 'off' : 'on')}`);
    }
    const first = await send(at, { type, person: silent });
    await decide(at, decided, { [name]: !isOn });
    const second = await send(at, { type, person: decided });
    const messages = [first, second].map((message) => ({ type, message }));
    const [bySilence, byWord] = await arrived(at, messages);
    if (bySilence !== isOn) {
      return broken(
        saw`an event of somebody who was silent was ${term(isOn ? 'dropped' : 'stored')}`,
      );
    }
    if (byWord === isOn) return broken(saw`a decision did not change what is stored`);
    if (!(await namesNobody(at, type, isOn ? first : second))) {
      return broken(saw`rows of ${term(type)} name their person`);
    }
    return kept(
      saw`${term(name)} is ${term(isOn ? 'on' : 'off')} for a new person, whose event was ${term(isOn ? 'stored' : 'dropped')}; after the opposite decision it was ${term(isOn ? 'dropped' : 'stored')}`,
    );
  },
});

export const theSwitch = defineProof({
  control: 'consent.switch',
  strength: 'stored-bytes',
  blindTo: BLIND,
  async prove(at, { purposes }) {
    const messages: { type: string; message: string }[] = [];
    const missing = (purposes as string[]).find((purpose) => gatedBy(at, purpose).length === 0);
    for (const purpose of purposes as string[]) {
      for (const type of gatedBy(at, purpose)) {
        const person = at.canaries.person();
        for (const position of [true, false, true]) {
          await decide(at, person, { [purpose]: position });
          messages.push({ type, message: await send(at, { type, person }) });
        }
      }
    }
    const stored = await arrived(at, messages);
    const off = stored.filter((is, index) => is && index % 3 === 1).length;
    if (off > 0) return broken(saw`${off} events were stored after their purpose was turned off`);
    const on = stored.filter((is, index) => !is && index % 3 !== 1).length;
    if (on > 0) return broken(saw`${on} events were dropped while their purpose was on`);
    if (missing !== undefined) return nothingFor(missing);
    return kept(
      saw`turned on, off and on again for ${terms(purposes as string[])}: stored, dropped and stored, ${messages.length} of ${messages.length} as decided`,
    );
  },
});

export const withdrawn = defineProof({
  control: 'consent.withdrawn',
  strength: 'stored-bytes',
  blindTo: BLIND,
  async prove(at, { scope }) {
    const open = openPurposes(at);
    const person = at.canaries.person();
    const types = open.flatMap((purpose) => gatedBy(at, purpose));
    if (types.length === 0) return gap(saw`nothing is collected that could be withdrawn from`);
    await decide(at, person, Object.fromEntries(open.map((purpose) => [purpose, true])));
    const given = await standings(at, person);
    const before = await Promise.all(types.map((type) => send(at, { type, person })));
    if (scope === 'one') {
      // The very call that gave it, with the other word, and one purpose at a time.
      for (const purpose of open) await decide(at, person, { [purpose]: false });
    } else await withdrawAll(at, person);
    const left = await standings(at, person);
    const [free] = freeTypes(at);
    const after = await Promise.all(types.map((type) => send(at, { type, person })));
    const essential =
      free === undefined ? [] : [{ type: free, message: await send(at, { type: free, person }) }];
    const stored = await arrived(at, [
      ...types.map((type, index) => ({ type, message: before[index] ?? '' })),
      ...types.map((type, index) => ({ type, message: after[index] ?? '' })),
      ...essential,
    ]);
    const late = stored.slice(types.length, 2 * types.length).filter((is) => is).length;
    const standing = open.filter((purpose) => left[purpose]?.granted !== false);
    if (late > 0) return broken(saw`${late} events were stored after consent was taken back`);
    if (standing.length > 0) return broken(saw`still granted: ${terms(standing)}`);
    const never = open.filter((purpose) => given[purpose]?.granted !== true);
    if (never.length > 0 || stored.slice(0, types.length).includes(false)) {
      return gap(saw`what was agreed to did not arrive either`);
    }
    if (stored.at(-1) !== true) return broken(saw`what needs no consent was dropped too`);
    const calls = term(scope === 'one' ? 'one call each, as it was given' : 'one call for all');
    return kept(
      saw`${open.length} of ${open.length} purposes taken back (${calls}); events of ${types.length} types arrived before and not after, and what needs no consent goes on`,
    );
  },
});
