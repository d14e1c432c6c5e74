/** The proofs of what a person's own word does: asked first, the default, the switch, the end. */
import type { Look } from '#core/looking';
import { broken, defineProof, gap, kept, type Saw, saw, term, terms } from '#core/promises';
import { freeTypes, gatedBy, openPurposes } from './gates.ts';
import { libraryObeys, WAYS } from './library.ts';
import { arrivals, arrived, decide, type Sending, send, standings, withdrawAll } from './people.ts';
import { readings, typeRead } from './readings.ts';

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

/** What was seen of the two, as one sentence. */
const together = (...parts: readonly (Saw | false)[]): Saw =>
  parts.filter((part) => part !== false).reduce((all, part) => saw`${all}; ${part}`);

const nothingFor = (purpose: string) =>
  gap(saw`nothing is collected for ${term(purpose)} alone, and nothing reads for it yet`);

/** Reads for each purpose as people agree and refuse. @returns how many were looked at. */
async function readAsAgreed(at: Look, purposes: readonly string[]) {
  let looked = 0;
  for (const purpose of purposes) {
    const seen = await readings(at, purpose, [true, false]);
    if (!seen) continue;
    const [agreed, refused] = seen.words;
    if (refused || seen.silent) {
      return broken(saw`read for ${term(purpose)} without a yes of the person`);
    }
    if (!agreed) return gap(saw`nothing could be read for ${term(purpose)} after a yes either`);
    looked += 1;
  }
  return looked;
}

/** A phone that was away sends what happened hours ago. */
const LATE_MS = 7_200_000;
const CALLERS = 4;
const AGREED = CALLERS - 1;

/**
 * Sends for each purpose as somebody silent, somebody who refused, somebody silent whose event is
 * late, and somebody who agreed.
 */
async function sendAsAgreed(at: Look, purposes: readonly string[]) {
  const sendings: Sending[] = [];
  for (const purpose of purposes) {
    const [silent, refusing] = [at.canaries.person(), at.canaries.person()];
    const agreeing = at.canaries.person();
    await decide(at, refusing, { [purpose]: false });
    await decide(at, agreeing, { [purpose]: true });
    for (const type of typesFor(at, purpose)) {
      for (const person of [silent, refusing]) sendings.push({ type, person });
      sendings.push({ type, person: silent, agoMs: LATE_MS }, { type, person: agreeing });
    }
  }
  if (sendings.length === 0) return 0;
  const stored = await arrivals(at, sendings);
  const early = sendings.filter((_, index) => stored[index] && index % CALLERS !== AGREED);
  if (early.length > 0) {
    const types = terms([...new Set(early.map(({ type }) => type))]);
    return broken(saw`stored without a yes: ${types}`);
  }
  const lost = stored.filter((is, index) => !is && index % CALLERS === AGREED).length;
  if (lost > 0) return gap(saw`${lost} events did not arrive after a yes either`);
  return sendings.length / CALLERS;
}

export const askedFirst = defineProof({
  control: 'consent.asked-first',
  strength: 'stored-bytes',
  blindTo: BLIND,
  async prove(at, { purposes }) {
    const named = purposes as string[];
    const sent = await sendAsAgreed(at, named);
    if (typeof sent !== 'number') return sent;
    const read = await readAsAgreed(at, named);
    if (typeof read !== 'number') return read;
    const unseen = named.filter(
      (purpose) => typesFor(at, purpose).length === 0 && !typeRead(at, purpose),
    );
    if (unseen.length > 0) return gap(saw`nothing is collected or read for ${terms(unseen)}`);
    const stored = saw`${sent * AGREED} of ${sent * AGREED} events of people who were silent or had refused were not stored, ${sent} of ${sent} after a yes were`;
    const shown = saw`readings for ${read} of ${named.length} purposes showed a row after a yes and of nobody else`;
    return kept(together(sent > 0 && stored, read > 0 && shown));
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
  blindTo:
    'A page that gives an event no purpose, or another; the last request of a page that is closed.',
  async prove(at, { purposes }) {
    const named = purposes as string[];
    for (const purpose of named) {
      const wrong = await libraryObeys(at, purpose);
      if (wrong) return wrong;
    }
    const messages: { type: string; message: string }[] = [];
    for (const purpose of named) {
      for (const type of gatedBy(at, purpose)) {
        const person = at.canaries.person();
        for (const position of [true, false, true]) {
          await decide(at, person, { [purpose]: position });
          messages.push({ type, message: await send(at, { type, person }) });
        }
      }
    }
    const stored = messages.length > 0 ? await arrived(at, messages) : [];
    const off = stored.filter((is, index) => is && index % 3 === 1).length;
    if (off > 0) return broken(saw`${off} events were stored after their purpose was turned off`);
    const on = stored.filter((is, index) => !is && index % 3 !== 1).length;
    if (on > 0) return broken(saw`${on} events were dropped while their purpose was on`);
    let read = 0;
    for (const purpose of named) {
      const seen = await readings(at, purpose, [true, false, true]);
      if (!seen && gatedBy(at, purpose).length === 0) return nothingFor(purpose);
      if (!seen) continue;
      const [first, second, third] = seen.words;
      if (second) return broken(saw`read for ${term(purpose)} after it was turned off`);
      if (!first || !third) return broken(saw`not read for ${term(purpose)} while it was on`);
      read += 1;
    }
    const { length } = messages;
    const sent = saw`${length} of ${length} events were stored, dropped and stored`;
    const shown = saw`readings for ${read} of ${named.length} purposes showed, hid and showed the row`;
    const seen = together(length > 0 && sent, read > 0 && shown);
    const left = saw`events left the library that the server hands out while it was on, and none after each of ${WAYS} ways of turning it off, nor after a reload`;
    return kept(saw`on, off and on again for ${terms(named)}: ${left}; ${seen}`);
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
